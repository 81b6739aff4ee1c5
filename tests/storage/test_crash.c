/*
 * test_crash.c - kill -9 at random moments: what was accepted is there.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place.h"

enum { ROUNDS = 40, PIECES = 6 };

struct writer {
    const char *path;
    int ends[2]; /* of the pipe that it reports through */
};

/* Streams the numbers 0, 1, 2 ... as answers of PIECES each, and reports each one accepted. */
static int stream_numbers(void *argument)
{
    const struct writer *w = argument;
    close(w->ends[0]);
    struct store *s = must_open(w->path);
    int64_t c = must_create(s, ""), id = 0;
    for (int n = 0;; n++) {
        char text[16];
        snprintf(text, sizeof(text), "%d ", n);
        if (n % PIECES == 0)
            id = must_begin(s, c);
        must_append(s, id, STORE_TEXT, text);
        if (write(w->ends[1], &n, sizeof(n)) != sizeof(n))
            return 1;
        if (n % PIECES == PIECES - 1 && store_message_end(s, id, STORE_COMPLETE, NULL) != STORE_OK)
            return 2;
    }
}

/* Kills a writer `us` after it has reported `reports`; returns how many numbers it had accepted. */
static int kill_a_writer(const char *path, int reports, useconds_t us)
{
    struct writer w = {.path = path};
    assert_int_equal(pipe(w.ends), 0);
    pid_t pid = start_child(stream_numbers, &w);
    close(w.ends[1]);
    int n, accepted = 0;
    while (accepted < reports && read(w.ends[0], &n, sizeof(n)) == sizeof(n))
        accepted = n + 1;
    usleep(us);
    kill(pid, SIGKILL);
    while (read(w.ends[0], &n, sizeof(n)) == sizeof(n))
        accepted = n + 1;
    close(w.ends[0]);
    assert_int_equal(end_child(pid), KILLED);
    return accepted;
}

/* The texts of all messages as one. */
static char *all_text(const struct store_messages *list)
{
    size_t len = 1;
    for (size_t i = 0; i < list->count; i++)
        len += list->items[i].len[STORE_TEXT];
    char *text = calloc(1, len);
    for (size_t i = 0; i < list->count; i++)
        strcat(text, list->items[i].text[STORE_TEXT]);
    return text;
}

static void check_survivors(struct store *s, int accepted)
{
    struct store_conversations *newest;
    assert_int_equal(store_conversation_list(s, false, 0, 1, &newest), STORE_OK);
    if (newest->count == 0 && accepted == 0) {
        store_conversations_free(newest);
        return;
    }
    struct store_messages *list = must_path(s, newest->items[0].id);
    char *text = all_text(list);
    char *at = text;
    int n = 0;
    for (char *end; *at; at = end + 1, n++)
        assert_int_equal(strtol(at, &end, 10), n);
    assert_true(n == accepted || n == accepted + 1); /* the last one may not have been reported */
    for (size_t i = 0; i < list->count; i++) {
        assert_false(list->items[i].damaged);
        bool whole = list->items[i].state == STORE_COMPLETE;
        assert_true(whole || (i == list->count - 1 && list->items[i].state == STORE_INTERRUPTED));
    }
    free(text);
    store_messages_free(list);
    store_conversations_free(newest);
}

static void what_was_accepted_survives_kill_9(void **state)
{
    struct place *p = *state;
    for (int round = 0; round < ROUNDS; round++) {
        /* The first rounds end while the file is made, the others somewhere in a message. */
        bool making = round < 12;
        if (making)
            unlink(p->path);
        useconds_t us = (useconds_t)(making ? 400 * round : 170 * (round % 7));
        int accepted = kill_a_writer(p->path, making ? 0 : round % (2 * PIECES) + 1, us);
        struct store *s = must_open(p->path);
        check_survivors(s, accepted);
        /* For the next round: a conversation that is empty, whatever the writer comes to. */
        must_create(s, "");
        store_close(s);
        assert_int_equal(must_number(p->path, "SELECT count(*) FROM pragma_integrity_check"
                                              " WHERE integrity_check = 'ok'"),
                         1);
    }
}

int test_crash(void)
{
    const struct CMUnitTest tests[] = {
        place_test(what_was_accepted_survives_kill_9),
    };
    return cmocka_run_group_tests_name("storage crash", tests, NULL, NULL);
}
