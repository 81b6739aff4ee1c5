/*
 * test_damage.c - broken files, hostile rows, too little memory: marked or refused, never a crash.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place.h"

enum { CONVERSATIONS = 6, TURNS = 8 };

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 8;
}

/* Message `id` of the sample, which says what only it says. */
static void sample_text(int64_t id, char *text, size_t size)
{
    int used = snprintf(text, size, "Message %d says: ", (int)id);
    for (int i = 0; i < 40; i++)
        used += snprintf(text + used, size - (size_t)used, "%d ", (int)(id * 7919 + i));
}

static void make_sample(const char *path)
{
    struct store *s = must_open(path);
    assert_int_equal(store_begin(s), STORE_OK);
    int64_t id = 0;
    for (int c = 0; c < CONVERSATIONS; c++) {
        int64_t conversation = must_create(s, "sample");
        for (int turn = 0; turn < TURNS; turn++) {
            char text[1000];
            sample_text(id + 1, text, sizeof(text));
            id = must_add(s, conversation, STORE_LEAF, STORE_USER, text);
        }
    }
    assert_int_equal(store_commit(s), STORE_OK);
    store_close(s);
}

/* What is not marked is as the sample says; returns how many messages are marked. */
static int check_messages(struct store *s)
{
    int marked = 0;
    for (int64_t c = 1; c <= CONVERSATIONS; c++) {
        struct store_messages *list;
        if (store_message_path(s, c, &list) != STORE_OK)
            continue;
        for (size_t i = 0; i < list->count; i++) {
            const struct store_message *m = &list->items[i];
            char text[1000];
            sample_text(m->id, text, sizeof(text));
            if (m->id > CONVERSATIONS * TURNS)
                continue;
            if (m->damaged)
                marked++;
            else
                assert_string_equal(m->text[STORE_TEXT], text);
        }
        store_messages_free(list);
    }
    return marked;
}

/* Every kind of call, for its failures to be failures and not crashes. */
static void use_everything(struct store *s)
{
    struct store_conversations *list;
    struct store_messages *messages;
    struct store_prompts *prompts;
    struct store_hits *hits;
    store_conversation_list(s, false, 0, 100, &list);
    store_conversations_free(list);
    store_message_children(s, 2, 0, &messages);
    store_messages_free(messages);
    store_prompts(s, 50, &prompts);
    store_prompts_free(prompts);
    store_search(s, "says 7919", 0, 20, &hits);
    store_hits_free(hits);
    store_search(s, "s:", 0, 20, &hits);
    store_hits_free(hits);

    int64_t id;
    struct store_draft draft = {.conversation = 1, .parent = STORE_LEAF, .role = STORE_ASSISTANT};
    if (store_message_begin(s, &draft, &id) == STORE_OK) {
        store_message_append(s, id, STORE_TEXT, "hello", 5);
        store_message_append(s, id, STORE_TEXT, "hello", 5);
        store_message_end(s, id, STORE_COMPLETE, NULL);
    }
    store_conversation_delete(s, 2);
}

/* Opens a broken file and does everything with it; returns the marks, or -1 when it is refused. */
static int survive(const char *path)
{
    struct store *s;
    char err[240] = "";
    if (store_open(&s, path, err, sizeof(err)) != STORE_OK) {
        assert_null(s);
        assert_true(err[0] != '\0');
        return -1;
    }
    int marked = check_messages(s);
    use_everything(s);
    store_close(s);
    return marked;
}

static void clear_place(struct place *p)
{
    static const char *const suffixes[] = {"-journal", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s%s", p->path, suffixes[i]);
        unlink(path);
    }
}

static void flipped_bits_crash_nothing(void **state)
{
    struct place *p = *state;
    make_sample(p->path);
    size_t len;
    char *good = must_read(p->path, &len);
    char *bad = malloc(len);
    unsigned seed = 1;
    int refused = 0;
    for (int round = 0; round < 300; round++) {
        memcpy(bad, good, len);
        /* A third of them where the tree of the schema is. */
        size_t at = next_random(&seed) % (round % 3 ? len : 4096);
        bad[at] ^= (char)(1 << next_random(&seed) % 8);
        must_write(p->path, bad, len);
        clear_place(p);
        refused += survive(p->path) < 0;
    }
    assert_true(refused > 0 && refused < 300);
    free(good);
    free(bad);
}

static void cut_and_blanked_files_crash_nothing(void **state)
{
    struct place *p = *state;
    make_sample(p->path);
    size_t len;
    char *good = must_read(p->path, &len);
    char *bad = malloc(len);
    unsigned seed = 2;
    for (int round = 0; round < 100; round++) {
        size_t cut = round % 2 ? next_random(&seed) % len
                               : next_random(&seed) % (len / 4096) * 4096;
        must_write(p->path, good, cut);
        clear_place(p);
        survive(p->path);
        memcpy(bad, good, len);
        memset(bad + next_random(&seed) % (len / 4096) * 4096, round % 2 ? 0 : 0xa5, 4096);
        must_write(p->path, bad, len);
        clear_place(p);
        survive(p->path);
    }
    must_write(p->path, good, len / 2);
    clear_place(p);
    assert_int_equal(survive(p->path), -1);
    free(good);
    free(bad);
}

static void every_changed_text_is_marked(void **state)
{
    struct place *p = *state;
    make_sample(p->path);
    size_t len;
    char *data = must_read(p->path, &len);
    unsigned seed = 3;
    for (int64_t id = 1; id <= CONVERSATIONS * TURNS; id++) {
        char text[1000];
        sample_text(id, text, sizeof(text));
        char *at = memmem(data, len, text, strlen(text));
        assert_non_null(at);
        at += next_random(&seed) % strlen(text);
        char bit = (char)(1 << next_random(&seed) % 8);
        *at ^= bit;
        must_write(p->path, data, len);
        *at ^= bit;
        clear_place(p);
        struct store *s = must_open(p->path);
        assert_int_equal(check_messages(s), 1);
        store_close(s);
    }
    free(data);
}

static void a_garbage_journal_hurts_nothing(void **state)
{
    struct place *p = *state;
    static const char *const suffixes[] = {"-journal", "-wal", "-shm", "-lock"};
    make_sample(p->path);
    for (size_t i = 0; i < 4; i++) {
        char path[128], garbage[10000];
        snprintf(path, sizeof(path), "%s%s", p->path, suffixes[i]);
        memset(garbage, 0x5a, sizeof(garbage));
        must_write(path, garbage, sizeof(garbage));
        assert_int_equal(survive(p->path), 0);
        unlink(p->path);
        unlink(path);
        make_sample(p->path);
    }
}

/* Runs SQL that a checked schema would not allow on a sample, and gives what is then read. */
static struct store_messages *read_after(struct place *p, const char *sql, struct store **s)
{
    unlink(p->path);
    make_sample(p->path);
    char whole[1000];
    snprintf(whole, sizeof(whole),
             "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; %s", sql);
    must_run(p->path, whole);
    *s = must_open(p->path);
    return must_path(*s, 1);
}

static void absurd_rows_are_marked(void **state)
{
    struct place *p = *state;
    static const struct {
        const char *sql;
        size_t count; /* of messages in the path */
        size_t marked;
    } cases[] = {
        {"UPDATE message SET role = 77 WHERE id = 3", 8, 1},
        {"UPDATE message SET role = -1 WHERE id = 3", 8, 1},
        {"UPDATE message SET role = 2 WHERE id = 3", 8, 1},
        {"UPDATE message SET state = 99 WHERE id = 3", 8, 1},
        {"UPDATE message SET created = -9223372036854775808 WHERE id = 3", 8, 1},
        {"UPDATE message SET crc = -5 WHERE id = 3", 8, 1},
        {"UPDATE message SET parent = 8 WHERE id = 3", 6, 1},
        {"UPDATE message SET parent = 3 WHERE id = 3", 6, 1},
        {"UPDATE message SET parent = -4 WHERE id = 3", 6, 1},
        {"UPDATE message SET parent = 1 WHERE id = 3", 7, 1},
        {"UPDATE message SET conversation = 2 WHERE id = 3", 5, 1},
        {"UPDATE conversation SET leaf = 5000 WHERE id = 1", 8, 0},
        {"DELETE FROM message WHERE id = 3", 5, 1},
        {"DELETE FROM text WHERE message = 3", 8, 1},
        {"UPDATE text SET body = '' WHERE message = 3", 8, 1},
        {"UPDATE text SET kind = 1 WHERE message = 3", 8, 1},
        {"UPDATE text SET kind = 9 WHERE message = 3", 8, 1},
        {"UPDATE text SET message = 4 WHERE message = 3", 8, 2},
        {"UPDATE text SET body = CAST(x'48ff49' AS TEXT) WHERE message = 3", 8, 1},
        {"INSERT INTO text(message, kind, body) VALUES(3, 0, 'more')", 8, 1},
        {"UPDATE text SET body = CAST(zeroblob(70000000) AS TEXT) WHERE message = 3", 8, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct store *s;
        struct store_messages *list = read_after(p, cases[i].sql, &s);
        size_t marked = 0;
        for (size_t j = 0; j < list->count; j++)
            marked += list->items[j].damaged;
        if (list->count != cases[i].count || marked != cases[i].marked)
            fail_msg("%s: %zu messages, %zu marked", cases[i].sql, list->count, marked);
        store_messages_free(list);
        use_everything(s);
        store_close(s);
    }
}

static void an_absurd_conversation_is_marked(void **state)
{
    struct place *p = *state;
    struct store *s;
    store_messages_free(
        read_after(p, "UPDATE conversation SET title = CAST(x'ff00' AS TEXT) WHERE id = 2", &s));
    struct store_conversations *one;
    assert_int_equal(store_conversation_get(s, 2, &one), STORE_OK);
    assert_true(one->items[0].damaged);
    store_conversations_free(one);
    store_close(s);
}

static void damage_is_not_hidden_by_going_on(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    int64_t c = must_create(s, ""), id = must_begin(s, c);
    must_append(s, id, STORE_TEXT, "one ");
    must_append(s, id, STORE_TEXT, "two ");
    must_run(p->path, "UPDATE text SET body = 'ONE ' WHERE id = 1");
    must_append(s, id, STORE_TEXT, "three");
    assert_int_equal(store_message_end(s, id, STORE_COMPLETE, NULL), STORE_OK);
    struct store_messages *list = must_path(s, c);
    assert_true(list->items[0].damaged);
    assert_string_equal(list->items[0].text[STORE_TEXT], "ONE two three");
    store_messages_free(list);
    store_close(s);
}

static void a_broken_index_keeps_nothing_from_being_saved(void **state)
{
    struct place *p = *state;
    make_sample(p->path);
    must_run(p->path, "UPDATE search_data SET block = x'ffffffffff'");
    struct store *s = must_open(p->path);
    int64_t c = must_create(s, ""), id = must_begin(s, c);
    must_append(s, id, STORE_TEXT, "saved");
    assert_int_equal(store_message_end(s, id, STORE_COMPLETE, NULL), STORE_OK);
    assert_string_equal(path_text(s, c), "saved|");
    struct store_hits *hits;
    assert_int_equal(store_search(s, "saved", 0, 9, &hits), STORE_EDAMAGED);
    assert_null(hits);
    store_close(s);
}

static void too_little_memory_is_an_error(void **state)
{
    struct place *p = *state;
    make_sample(p->path);
    int failed = 0, opened = 0;
    for (int64_t room = 10000; room < 400000; room += room / 12) {
        struct store *s;
        char err[240] = "";
        sqlite3_hard_heap_limit64(sqlite3_memory_used() + room);
        if (store_open(&s, p->path, err, sizeof(err)) == STORE_OK) {
            use_everything(s);
            opened++;
        } else {
            failed++;
        }
        store_close(s);
        sqlite3_hard_heap_limit64(0);
        /* Whatever happened, the file is whole. */
        s = must_open(p->path);
        assert_int_equal(check_messages(s), 0);
        store_close(s);
    }
    assert_true(failed > 0 && opened > 0);
}

int test_damage(void)
{
    const struct CMUnitTest tests[] = {
        place_test(flipped_bits_crash_nothing),
        place_test(cut_and_blanked_files_crash_nothing),
        place_test(every_changed_text_is_marked),
        place_test(a_garbage_journal_hurts_nothing),
        place_test(absurd_rows_are_marked),
        place_test(an_absurd_conversation_is_marked),
        place_test(damage_is_not_hidden_by_going_on),
        place_test(a_broken_index_keeps_nothing_from_being_saved),
        place_test(too_little_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("storage damage", tests, NULL, NULL);
}
