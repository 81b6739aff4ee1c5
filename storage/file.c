/*
 * file.c - making and judging the history's file and folder.
 *
 * It never keeps the file open, and never opens one that SQLite might have open: closing it would
 * drop SQLite's locks.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int system_error(struct store *s, const char *doing)
{
    bool full = errno == ENOSPC || errno == EDQUOT;
    return db_error(s, full ? STORE_EFULL : STORE_EIO, "%s: %s", doing, strerror(errno));
}

char *file_beside(const char *path, const char *suffix)
{
    char *name = malloc(strlen(path) + strlen(suffix) + 1);
    if (name)
        strcat(strcpy(name, path), suffix);
    return name;
}

/* Makes every folder on the way to `path` that is missing. */
static int make_folders(struct store *s, const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        return db_no_memory(s);
    int rc = STORE_OK;
    for (char *slash = strchr(folder + (folder[0] == '/'), '/'); slash && rc == STORE_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        struct stat st;
        /* Looking first: mkdir of a folder that is there may fail for other reasons. */
        if (stat(folder, &st) != 0 && mkdir(folder, 0700) != 0 && errno != EEXIST)
            rc = system_error(s, "making its folder");
        *slash = '/';
    }
    free(folder);
    return rc;
}

static int make_file(struct store *s, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return system_error(s, "making the file");
    return STORE_OK;
}

static bool may_write(const char *path)
{
    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

bool file_is_unwritable(const char *path)
{
    char *file = realpath(path, NULL);
    bool writable = !file || may_write(file);
    if (file && writable) {
        char *slash = strrchr(file, '/');
        slash[slash == file] = '\0';
        writable = may_write(file);
    }
    free(file);
    return !writable;
}

static bool has_bytes(const char *path, const char *suffix)
{
    struct stat st;
    char *name = file_beside(path, suffix);
    bool has = !name || (stat(name, &st) == 0 && st.st_size > 0);
    free(name);
    return has;
}

bool file_has_journal(const char *path)
{
    return has_bytes(path, "-wal") || has_bytes(path, "-journal");
}

bool file_is_remote(const char *path)
{
    /* The numbers of linux/magic.h, of which not every one is in every release. */
    static const unsigned long remote[] = {
        0x6969,     /* NFS */
        0x517b,     /* SMB */
        0xfe534d42, /* SMB 2 */
        0xff534d42, /* CIFS */
        0x01021997, /* 9P */
        0x65735546, /* FUSE: sshfs and its like */
    };
    struct statfs fs;
    if (statfs(path, &fs) != 0)
        return true;
    for (size_t i = 0; i < sizeof(remote) / sizeof(*remote); i++)
        if (((unsigned long)fs.f_type & 0xffffffff) == remote[i])
            return true;
    return false;
}

static int check_folder(struct store *s, const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        return db_no_memory(s);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    struct stat st;
    int rc = STORE_OK;
    if (stat(slash ? folder : ".", &st) != 0)
        rc = system_error(s, "its folder");
    else if (st.st_uid != geteuid() && st.st_uid != 0)
        rc = db_error(s, STORE_EFOREIGN, "its folder belongs to another user");
    else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
        rc = db_error(s, STORE_EFOREIGN, "anyone may write to its folder");
    free(folder);
    return rc;
}

static int check_file(struct store *s)
{
    struct stat st;
    if (lstat(s->path, &st) != 0)
        return system_error(s, "the file");
    if (!S_ISREG(st.st_mode))
        return db_error(s, STORE_EFOREIGN, "not a regular file");
    if (st.st_uid != geteuid())
        return db_error(s, STORE_EFOREIGN, "the file belongs to another user");
    if (s->reads_only && faccessat(AT_FDCWD, s->path, R_OK, AT_EACCESS) != 0)
        return system_error(s, "the file"); /* SQLite would give another reason */
    if (st.st_size == 1)                    /* which SQLite takes for an empty file */
        return db_error(s, STORE_ENOTDB, "not a history database");
    if (s->reads_only || !(st.st_mode & 077))
        return STORE_OK;
    if (chmod(s->path, st.st_mode & 0700) != 0)
        return system_error(s, "making it private");
    s->shared_mode = st.st_mode & 07777;
    return STORE_OK;
}

void file_give_back(struct store *s)
{
    /* If this fails, the file is only more private than before. */
    if (s->shared_mode != 0 && chmod(s->path, s->shared_mode) == 0)
        s->shared_mode = 0;
}

int file_prepare(struct store *s, const char *path)
{
    int rc = s->reads_only ? STORE_OK : make_folders(s, path);
    if (rc == STORE_OK && !s->reads_only)
        rc = check_folder(s, path);
    if (rc == STORE_OK && !s->reads_only)
        rc = make_file(s, path);
    if (rc != STORE_OK)
        return rc;
    s->path = realpath(path, NULL);
    if (!s->path)
        return system_error(s, "the file");
    rc = check_folder(s, s->path); /* another one, if that was a link */
    return rc == STORE_OK ? check_file(s) : rc;
}
