/* test_completion.c - the completions in the shells they are for. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What a user has typed, and what must be offered and must not. */
static const struct {
    const char *typed, *offered, *not_offered;
} rows[] = {
    {"duet ", "inspect", "--json"},
    {"duet --dev", "--device", "--db"},
    {"duet --device ", "cuda", "inspect"},
    {"duet -m demo", "demo-llama", "--model"},
    {"duet inspect ", "prompt", "demo-llama"},
    {"duet inspect --gre", "--greedy", "--temp"},
    {"duet batch --un", "--unordered", "--greedy"},
    {"duet batch some-in", "some-input.jsonl", "other"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* Shell lines that print what is offered for $T, which has $OFFERED; $DIR holds the completions. */
static const char bash[] =
    "source $DIR/duet.bash; IFS=' ' read -ra COMP_WORDS <<<\"$T\"; "
    "[[ $T == *' ' ]] && COMP_WORDS+=(''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "
    "_duet duet \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"; "
    "printf '%s\\n' \"${COMPREPLY[@]}\"";
static const char fish[] = "fish --no-config -c 'source $DIR/duet.fish; complete -C $T'";
static const char zsh[] =
    "cat >z <<'END'\n"
    "zmodload zsh/zpty\n"
    "zpty z 'TERM=dumb zsh -f -i'\n"
    "take() { local all= some; for i in {1..2500}; do zpty -rt z some && all+=$some || sleep 0.02\n"
    "[[ $all == *$1* ]] && break; done; print -r -- $all }\n"
    "zpty -w z 'PS1=; fpath=($DIR $fpath); autoload -U compinit; compinit -u -D; print rea\"\"dy'\n"
    "take ready >/dev/null\n"
    "zpty -w -n z \"$T\"$'\\t\\t'; take $OFFERED\n"
    "zpty -w -n z $'\\x15'; zpty -w z 'print do\"\"ne'; take done\n"
    "END\n"
    "zsh -f z";

static void try_shell(const char *name, const char *line)
{
    char where[4096], link[4400];
    struct run r;

    snprintf(where, sizeof where, "command -v %s >/dev/null", name);
    if (system(where) != 0)
        skip();
    assert_non_null(getcwd(where, sizeof where));
    strncat(where, "/completions", sizeof where - strlen(where) - 1);
    setenv("DIR", where, 1);
    snprintf(link, sizeof link,
             "mkdir -p $HOME/bin $HOME/w && ln -sf $DUET $HOME/bin/duet && "
             "touch $HOME/w/some-input.jsonl");
    assert_int_equal(system(link), 0);
    for (int i = 0; i < N_ROWS; i++) {
        char run[4096];
        setenv("T", rows[i].typed, 1);
        setenv("OFFERED", rows[i].offered, 1);
        snprintf(run, sizeof run, "PATH=$HOME/bin:$PATH; cd $HOME/w; %s", line);
        run_shell(&r, run);
        if (!strstr(r.out, rows[i].offered) || strstr(r.out, rows[i].not_offered))
            fail_msg("%s: \"%s\" gives: %s%s", name, rows[i].typed, r.out, r.err);
        run_done(&r);
    }
}

static void bash_completes(void **state)
{
    (void)state;
    try_shell("bash", bash);
}

static void zsh_completes(void **state)
{
    (void)state;
    try_shell("zsh", zsh);
}

static void fish_completes(void **state)
{
    (void)state;
    try_shell("fish", fish);
}

int test_completion(void)
{
    const struct CMUnitTest tests[] = {TEST(bash_completes), TEST(zsh_completes),
                                       TEST(fish_completes)};
    return cmocka_run_group_tests_name("completion", tests, NULL, NULL);
}
