/* hub.c - see hub.h. */
#include "tests/app/hub.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/app/tests.h"

const char hub_digest[] = "6ce7db45c8db49e09ecbf655ac03611a501fabd0171b145fcdf71f8c5a836c09";

static struct {
    pid_t pid, owner;
    char duet[PATH_MAX]; /* what DUET was before */
    char folder[64];
    char ports[1024];
    long log_from;
} hub;

static void path_of(const char *name, char *out, size_t outlen)
{
    snprintf(out, outlen, "%s/%s", hub.folder, name);
}

static char *read_file(const char *name, long from)
{
    char path[128];
    path_of(name, path, sizeof path);
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    long size = ftell(f) - from;
    fseek(f, from, SEEK_SET);
    char *text = calloc(1, (size_t)size + 1);
    size_t n = fread(text, 1, (size_t)size, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

/* The program with the hub's table lies beside the other. */
static int use_table(void)
{
    char path[PATH_MAX];
    snprintf(hub.duet, sizeof hub.duet, "%s", duet_path());
    if (snprintf(path, sizeof path, "%s-of-hub", hub.duet) >= (int)sizeof path)
        return -1;
    return setenv("DUET", path, 1);
}

static void end_server(void)
{
    char line[128];
    if (hub.pid <= 0 || getpid() != hub.owner)
        return;
    kill(hub.pid, SIGKILL);
    waitpid(hub.pid, NULL, 0);
    snprintf(line, sizeof line, "rm -rf %s", hub.folder);
    if (system(line) != 0)
        fprintf(stderr, "%s: left behind\n", hub.folder);
}

/* One for all groups of this program: it takes longer to start than most tests do. */
static int start_server(const char *model)
{
    char line[256];
    snprintf(hub.folder, sizeof hub.folder, "/tmp/duet-hub-XXXXXX");
    if (!mkdtemp(hub.folder))
        return -1;
    snprintf(line, sizeof line, "sh tests/hub/certificates %s", hub.folder);
    if (system(line) != 0)
        return -1;
    hub.owner = getpid();
    hub.pid = fork();
    if (hub.pid == 0) {
        execlp("python3", "python3", "tests/hub/hub.py", hub.folder, model, NULL);
        _exit(127);
    }
    atexit(end_server);
    for (int i = 0; i < 6000; i++) {
        char *ports = read_file("ports", 0);
        if (ports) {
            snprintf(hub.ports, sizeof hub.ports, "\n%s", ports);
            free(ports);
            return 0;
        }
        usleep(10000);
    }
    return -1;
}

int hub_start(void **state)
{
    char model[PATH_MAX];
    if (use_table() != 0)
        return -1;
    if (hub.pid > 0)
        return 0;
    sandbox_new(state);
    snprintf(model, sizeof model, "%s", some_model());
    sandbox_remove(state);
    return start_server(model);
}

int hub_stop(void **state)
{
    (void)state;
    return setenv("DUET", hub.duet, 1);
}

int hub_sandbox(void **state)
{
    char ca[128];
    if (sandbox_new(state) != 0)
        return -1;
    path_of("ca.pem", ca, sizeof ca);
    setenv("CURL_CA_BUNDLE", ca, 1);
    hub_use("hub", "good");
    hub_forget();
    return 0;
}

int hub_port(const char *name)
{
    char key[32];
    snprintf(key, sizeof key, "\n%s=", name);
    const char *at = strstr(hub.ports, key);
    assert_non_null(at);
    return atoi(at + strlen(key));
}

void hub_use(const char *port, const char *kind)
{
    char url[128];
    snprintf(url, sizeof url, "https://localhost:%d/%s", hub_port(port), kind);
    setenv("HF_ENDPOINT", url, 1);
}

char *hub_log(void)
{
    char *text = read_file("log", hub.log_from);
    assert_non_null(text);
    return text;
}

void hub_forget(void)
{
    char path[128];
    struct stat st;
    path_of("log", path, sizeof path);
    hub.log_from = stat(path, &st) == 0 ? (long)st.st_size : 0;
}
