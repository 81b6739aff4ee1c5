/* pulling.c - see pulling.h. */
#include "tests/app/pulling.h"

#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/app/hub.h"

const char pulled_file[] = "Llama-3.2-1B-Instruct-Q8_0.gguf";

const char *pulled_names(void)
{
    static char names[1024];
    struct run r;
    run_shell(&r, "cd $HOME/.local/share/duet/models 2>/dev/null && ls -A | tr '\\n' ' '");
    snprintf(names, sizeof names, "%s", r.out);
    run_done(&r);
    return names;
}

void assert_pulled_names(const char *endings)
{
    char expected[512] = "", all[128];
    snprintf(all, sizeof all, "%s", endings);
    for (char *e = strtok(all, " "); e; e = strtok(NULL, " "))
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s%s ",
                 pulled_file, strcmp(e, "=") == 0 ? "" : e);
    assert_string_equal(pulled_names(), expected);
}

void assert_pulled(void)
{
    struct run r;
    assert_pulled_names("= .json");
    run_shell(&r, "cd $HOME/.local/share/duet/models && sha256sum < *.gguf && stat -c %a . *");
    if (strncmp(r.out, hub_digest, 64) != 0)
        fail_msg("another file: %s", r.out);
    assert_contains(r.out, "\n700\n600\n600\n");
    run_done(&r);
}

void remove_pulled(void)
{
    assert_int_equal(system("rm -rf $HOME/.local/share/duet"), 0);
}

void assert_pull(const char *kind, int status, const char *says)
{
    static const char *const silent[] = {"silent", "drip", "stall"};
    const char *patience = "10";
    struct run r;
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        if (strcmp(kind, silent[i]) == 0)
            patience = "0.3";
    hub_use("hub", kind);
    run_duet(&r, NULL, 0, "pull", "llama", "-q", "--timeout", patience, NULL);
    if (r.status != status || (status != 0 && (!strstr(r.err, says) || r.err_len > 240)))
        fail_msg("%s: %d, %s", kind, r.status, r.err);
    if (status != 0)
        assert_error_line(&r);
    run_done(&r);
}

void assert_refused(const struct refusal *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        remove_pulled();
        assert_pull(rows[i].kind, 5, rows[i].says);
        if (*pulled_names())
            fail_msg("%s leaves %s", rows[i].kind, pulled_names());
    }
}
