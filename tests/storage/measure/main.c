/*
 * main.c - how long the store takes in a large history, as a table of medians.
 *
 *     make bench-store [ARGS="CONVERSATIONS [FILE]"]
 *
 * Builds a synthetic history (or takes up the one in FILE, built before) of so many conversations
 * of three messages each, one in thirty of them Chinese, and times what a reader waits for. A
 * message's words follow Zipf's law, so that there are common, rare and missing ones to look for.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage/store.h"

enum { CONVERSATIONS = 100000, GROUP = 500, WORDS = 20000, HANZI = 3000, ROUNDS = 21, TEXT = 8192 };

struct measure {
    struct store *store;
    const char *path;
    long conversations;
    uint64_t random;
    char words[WORDS][16];
    char hanzi[HANZI][4];
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void check(const struct measure *m, int rc)
{
    if (rc == STORE_OK)
        return;
    fprintf(stderr, "bench-store: %s\n", store_error(m->store));
    exit(1);
}

/* The history */

/* Splitmix64, as its author gives it: prng.di.unimi.it. */
static uint64_t draw(struct measure *m)
{
    uint64_t z = m->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static size_t between(struct measure *m, size_t low, size_t high)
{
    return low + draw(m) % (high - low);
}

/* A rank of 0..n-1, each about as often as its inverse: n to the power of a number below 1. */
static size_t zipf(struct measure *m, size_t n)
{
    size_t rank = 1;
    for (size_t bits = between(m, 0, 1000); bits > 0; bits = bits > 70 ? bits - 70 : 0)
        rank = rank * 2 - draw(m) % 2;
    return (rank - 1) % n;
}

static void invent_words(struct measure *m)
{
    static const char *const syllables[] = {"an",  "er",  "in", "th",  "on",  "re",  "st", "al",
                                            "co",  "de",  "en", "ti",  "ra",  "ma",  "lo", "ing",
                                            "the", "ver", "qu", "pro", "com", "sub", "at", "ive",
                                            "sum", "pol", "y",  "gra", "ph",  "ic",  "x",  "ger"};
    enum { SYLLABLES = sizeof syllables / sizeof *syllables };
    for (size_t i = 0; i < WORDS; i++)
        for (size_t n = 1 + (i > 30) + (i > 900) + draw(m) % 2; n > 0; n--)
            strcat(m->words[i], syllables[draw(m) % SYLLABLES]);
    for (size_t i = 0; i < HANZI; i++) {
        unsigned c = 0x4e00 + (unsigned)between(m, 0, 8000);
        snprintf(m->hanzi[i], 4, "%c%c%c", 0xe0 | c >> 12, 0x80 | (c >> 6 & 0x3f),
                 0x80 | (c & 0x3f));
    }
}

static size_t invent_text(struct measure *m, char *out, size_t words, bool chinese)
{
    char *p = out;
    while (words-- > 0)
        p = chinese ? stpcpy(p, m->hanzi[zipf(m, HANZI)])
                    : stpcpy(stpcpy(p, m->words[zipf(m, WORDS)]), " ");
    return (size_t)(p - out);
}

static void add_answer(struct measure *m, int64_t conversation, bool chinese)
{
    struct store_draft draft = {conversation, STORE_LEAF, STORE_ASSISTANT, 0, NULL};
    char text[TEXT];
    int64_t id;
    check(m, store_message_begin(m->store, &draft, &id));
    size_t len = invent_text(m, text, between(m, 20, 150), chinese);
    check(m, store_message_append(m->store, id, STORE_REASONING, text, len));
    len = invent_text(m, text, between(m, 20, 120), chinese);
    check(m, store_message_append(m->store, id, STORE_TEXT, text, len));
    check(m, store_message_end(m->store, id, STORE_COMPLETE, NULL));
}

static void add_conversation(struct measure *m, long number)
{
    bool chinese = number % 30 == 7;
    char text[TEXT], title[80];
    int64_t conversation, id;
    for (int turn = 0; turn < 3; turn++) {
        size_t len = invent_text(m, text, between(m, 5, 25), chinese);
        if (turn == 0) {
            snprintf(title, sizeof title, "%.*s", chinese ? 24 : (int)between(m, 20, 60), text);
            check(m, store_conversation_create(m->store, title, "", &conversation));
        }
        struct store_draft draft = {conversation, STORE_LEAF, STORE_USER, 0, NULL};
        if (turn == 1)
            add_answer(m, conversation, chinese);
        else
            check(m, store_message_add(m->store, &draft, text, len, &id));
    }
}

static void build(struct measure *m)
{
    double start = now_ms();
    for (long i = 0; i < m->conversations; i++) {
        if (i % GROUP == 0)
            check(m, store_begin(m->store));
        add_conversation(m, i);
        if (i % GROUP == GROUP - 1 || i == m->conversations - 1)
            check(m, store_commit(m->store));
        if (i % GROUP == 0 && isatty(STDERR_FILENO))
            fprintf(stderr, "\r%ld of %ld conversations", i, m->conversations);
    }
    printf("built %ld conversations of 3 messages in %.0f s\n", m->conversations,
           (now_ms() - start) / 1e3);
}

/* Times */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Prints the median and the worst of the rounds; `run` returns a count worth showing. */
static void report(struct measure *m, const char *what, const char *detail, int rounds,
                   size_t (*run)(struct measure *m, const char *detail))
{
    double ms[ROUNDS];
    size_t count = 0;
    for (int i = 0; i < rounds; i++) {
        double start = now_ms();
        count = run(m, detail);
        ms[i] = now_ms() - start;
    }
    qsort(ms, (size_t)rounds, sizeof *ms, compare);
    printf("%-10s %-22s %9.2f ms %9.2f ms %8zu\n", what, detail, ms[rounds / 2], ms[rounds - 1],
           count);
}

static size_t reopen(struct measure *m, const char *detail)
{
    char err[256];
    (void)detail;
    store_close(m->store);
    if (store_open(&m->store, m->path, err, sizeof err) == STORE_OK)
        return 1;
    fprintf(stderr, "bench-store: %s\n", err);
    exit(1);
}

static size_t list(struct measure *m, const char *detail)
{
    struct store_conversations *page;
    (void)detail;
    check(m, store_conversation_list(m->store, false, 0, 200, &page));
    size_t count = page->count;
    store_conversations_free(page);
    return count;
}

static size_t filter(struct measure *m, const char *words)
{
    struct store_conversations *page;
    check(m, store_conversation_filter(m->store, words, false, 200, &page));
    size_t count = page->count;
    store_conversations_free(page);
    return count;
}

static size_t search(struct measure *m, const char *query)
{
    struct store_hits *hits;
    check(m, store_search(m->store, query, 0, 50, &hits));
    size_t count = hits->count;
    store_hits_free(hits);
    return count;
}

static size_t add(struct measure *m, const char *detail)
{
    (void)detail;
    add_conversation(m, 1);
    return 3;
}

static size_t purge(struct measure *m, const char *detail)
{
    struct store_conversations *page;
    (void)detail;
    check(m, store_conversation_list(m->store, false, 0, 1, &page));
    check(m, store_conversation_delete(m->store, page->items[0].id));
    store_conversations_free(page);
    check(m, store_purge(m->store));
    return 1;
}

static void measure(struct measure *m)
{
    static const char *const queries[] = {
        "the", "tion", "proving", "cosumgra", "the ing ger", "\"ing the\"", "zzzzz", "the zq",
        "e",   "x",    "th",      "xq",       "zq",          "~",           "e th",  "x~",
    };
    char words[4][32];
    struct stat st = {0};
    stat(m->path, &st);
    printf("file: %.1f MB\n\n%-10s %-22s %12s %12s %8s\n", (double)st.st_size / 1e6, "", "",
           "median", "worst", "found");
    report(m, "open", "", 5, reopen);
    report(m, "list", "200 newest", ROUNDS, list);
    report(m, "filter", "the", ROUNDS, filter);
    report(m, "filter", "cosum grapol", ROUNDS, filter);
    report(m, "filter", "zzzzz", ROUNDS, filter);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        report(m, "search", queries[i], ROUNDS, search);
    snprintf(words[0], sizeof *words, "%s", m->hanzi[0]);
    snprintf(words[1], sizeof *words, "%s", m->hanzi[2500]);
    snprintf(words[2], sizeof *words, "%s%s", m->hanzi[1], m->hanzi[2]);
    snprintf(words[3], sizeof *words, "%s%s%s", m->hanzi[1], m->hanzi[0], m->hanzi[40]);
    for (int i = 0; i < 4; i++)
        report(m, "search", words[i], ROUNDS, search);
    report(m, "search", m->words[WORDS - 7], ROUNDS, search);
    report(m, "add", "3 messages", ROUNDS, add);
    report(m, "purge", "1 conversation", 3, purge);
}

int main(int argc, char **argv)
{
    static struct measure m = {.random = 1};
    char path[64] = "/tmp/duet-bench-XXXXXX", err[256];
    m.conversations = argc > 1 ? strtol(argv[1], NULL, 10) : CONVERSATIONS;
    m.path = argc > 2 ? argv[2] : path;
    if (m.conversations <= 0 || (argc <= 2 && !mkdtemp(path))) {
        fprintf(stderr, "usage: storage.measure [CONVERSATIONS [FILE]]\n");
        return 2;
    }
    if (argc <= 2)
        strcat(path, "/chat.db");
    if (store_open(&m.store, m.path, err, sizeof err) != STORE_OK) {
        fprintf(stderr, "bench-store: %s\n", err);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    invent_words(&m);
    if (list(&m, "") == 0)
        build(&m);
    measure(&m);
    store_close(m.store);
    if (argc <= 2) {
        unlink(path);
        strcat(path, "-lock");
        unlink(path);
        *strrchr(path, '/') = '\0';
        rmdir(path);
    }
    return 0;
}
