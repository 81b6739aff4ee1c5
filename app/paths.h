/* paths.h - where duet keeps things: the folders of the XDG base directory specification. */
#ifndef APP_PATHS_H
#define APP_PATHS_H

struct paths {
    char *config, *data, *state, *cache; /* NULL where neither XDG_* nor HOME says */
    char *runtime;       /* for files of a running process; NULL without XDG_RUNTIME_DIR */
    char *history;       /* the database, NULL as data is */
    char *settings;      /* the configuration file, NULL as config is */
    const char *problem; /* why something is NULL */
};

/* Reads the environment; looks at no file. Relative folders are ignored, as the
 * specification asks. */
void paths_init(struct paths *p);
void paths_done(struct paths *p);

/* "dir/name"; the caller's. */
char *paths_join(const char *dir, const char *name);

/* The path with the home in place of a "~" at its beginning; the caller's. */
char *paths_expand(const char *path);

/* Makes the folder and those above it, for the user only. Errors show when a file in it is
 * opened. */
void paths_make_folder(const char *folder);

/* Where the files that come with duet are: share/duet/NAME beside the folder of an installed
 * program; NAME in the clone, if the program runs where it was built. The caller's; NULL: none. */
char *paths_installed(const char *name);
char *paths_in_clone(const char *name);

/* Prints them, one a line, as `name<TAB>path`. */
void paths_print(const struct paths *p);

#endif
