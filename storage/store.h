/*
 * store.h - conversations on disk. The only door into storage/.
 *
 * The data model:
 *
 *     conversation            title, system prompt, archived or not, current leaf
 *       message               role, state, parent: the messages of a conversation are a tree
 *         text                what was said, kept apart by kind (enum store_kind)
 *         generation          what made it: model, settings, seed, counts, timings, why it stopped
 *
 * The path from the root to a conversation's leaf is what a reader sees. A regenerated answer or
 * an edited question is a new child of the same parent: nothing that was said is overwritten.
 * Ids are positive, never used twice, and grow: order is order of ids, a parent's id is smaller
 * than its children's, and clocks are for display only. 0 stands for "none".
 *
 * A message that streams is begun, appended to, and ended. What an append accepted survives the
 * end of the process, an ended message survives loss of power. When the writer dies in between,
 * its message reads as STORE_INTERRUPTED, also in other instances that have the file open.
 *
 * Any number of processes may share one file. In one process a handle serves one thread at a
 * time. Every write is one transaction: when a call fails it has changed nothing and may be
 * repeated as it is. Calls return STORE_OK or an enum store_status; store_error() says more.
 *
 * Strings going in are copied and may be NULL for "". Strings coming out are UTF-8 as they went
 * in (control characters included: escape them before showing them), end with a NUL, and live as
 * long as the list that brought them; each list is freed by its own _free.
 */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

enum store_status {
    STORE_OK = 0,
    STORE_ERROR = -1,      /* anything not named below */
    STORE_ENOTDB = -2,     /* the file is not a database; left untouched */
    STORE_EFOREIGN = -3,   /* a database, file or folder that is not ours to use; left untouched */
    STORE_ENEWER = -4,     /* made by a newer duet; left untouched */
    STORE_EDAMAGED = -5,   /* the file contradicts itself */
    STORE_EBUSY = -6,      /* another program held the file longer than the handle's patience */
    STORE_EFULL = -7,      /* no space left: keep the text, try again later */
    STORE_EIO = -8,        /* reading or writing failed, or the file cannot be written */
    STORE_EMOVED = -9,     /* the file was deleted, renamed or replaced while it was open */
    STORE_ENOTFOUND = -10, /* no such conversation or message */
    STORE_EINVAL = -11,    /* the call makes no sense: a caller's mistake */
    STORE_ENOMEM = -12
};

enum store_role { STORE_SYSTEM, STORE_USER, STORE_ASSISTANT, STORE_TOOL, STORE_UNKNOWN_ROLE };

enum store_state {
    STORE_STREAMING,   /* being written by an instance that is alive */
    STORE_COMPLETE,    /* ended by itself */
    STORE_STOPPED,     /* ended by the user */
    STORE_INTERRUPTED, /* its writer died */
    STORE_FAILED       /* ended by an error, see store_generation.error */
};

enum store_kind {
    STORE_TEXT,      /* the user's question, the model's answer, a tool's result */
    STORE_REASONING, /* what the model thought before it answered */
    STORE_TOKENS,    /* of both, in order; not searched; an answer continues exactly from them */
    STORE_KINDS
};

/*
 * Opens the history at `path`, making it (0600) and its missing folders (0700) when absent, and
 * brings an older schema up to date, keeping a copy of the old file beside it. NULL or ":memory:"
 * gives a store that lives and dies with the handle. A file that is refused keeps every byte.
 * On failure *out is NULL and `err` says why in one line.
 */
int store_open(struct store **out, const char *path, char *err, size_t errlen);

/*
 * The same, for a caller who only reads: a history that may not be written (a disk that is read
 * only, a folder or a file without that permission) is opened all the same, and nothing is written
 * anywhere. Whatever would change it then fails with STORE_EIO, and a message that another program
 * is writing reads as STORE_INTERRUPTED. STORE_EIO: it has to be written before it can be read, for
 * its newest part is still in a journal, or it was made by an older duet.
 */
int store_open_to_read(struct store **out, const char *path, char *err, size_t errlen);

/*
 * Purges what this handle deleted (see store_purge) for most of a second at most; the rest is left
 * to the next handle that closes. Frees the handle. NULL is allowed.
 */
void store_close(struct store *s);

struct store_recovered {
    int64_t conversations, messages;
    int64_t lost;    /* rows that no history can hold */
    bool broken;     /* some places could not be read */
    char kept[4096]; /* where the damaged file is now */
};

/*
 * Salvages a damaged history: what can be read of it goes into a new file, which takes its place;
 * the old file is kept beside it. Nobody else may have it open. On failure everything is as it was,
 * and err says why in one line.
 */
int store_recover(const char *path, struct store_recovered *out, char *err, size_t errlen);

const char *store_error(const struct store *s); /* one line, until the next call */
int store_failure(const struct store *s);       /* the status that store_error explains */
void store_set_patience(struct store *s,
                        int ms);     /* how long to wait for another writer; 2000 at first */
bool store_changed(struct store *s); /* by another handle, since the last call */
bool store_moved(struct store *s);   /* the history's path now holds another file, or none */

/*
 * Makes the calls up to store_commit one transaction, which blocks other writers: be quick. All of
 * them happen or none: if one failed, store_commit undoes the others and returns its status. No
 * nesting.
 */
int store_begin(struct store *s);
int store_commit(struct store *s);
void store_rollback(struct store *s);

struct store_conversation {
    int64_t id;
    int64_t leaf;       /* last message of the current path, 0 when the path is empty */
    int64_t activity;   /* grows with each message written anywhere: the order of the list */
    int64_t created_ms; /* Unix time */
    int64_t updated_ms;
    const char *title;
    const char *system; /* system prompt, "" when none */
    bool archived;
    bool damaged; /* the title or the system prompt is not what was written */
};

struct store_conversations {
    size_t count;
    struct store_conversation *items;
};

int store_conversation_create(struct store *s, const char *title, const char *system,
                              int64_t *id_out);
int store_conversation_get(struct store *s, int64_t id, struct store_conversations **one_out);

/*
 * At most `limit` conversations, archived or not, the last used first. `before` is 0, or the
 * activity of the last one already seen. Deleted ones are left out.
 */
int store_conversation_list(struct store *s, bool archived, int64_t before, size_t limit,
                            struct store_conversations **out);

/* The same, of those whose title holds every word of `words` (see store_search_some). */
int store_conversation_filter(struct store *s, const char *words, bool archived, size_t limit,
                              struct store_conversations **out);
void store_conversations_free(struct store_conversations *list);

int store_conversation_rename(struct store *s, int64_t id, const char *title);
int store_conversation_set_system(struct store *s, int64_t id, const char *system);
int store_conversation_archive(struct store *s, int64_t id, bool archived);

/* Sets the dates of an imported conversation; they are for display, and order nothing. */
int store_conversation_date(struct store *s, int64_t id, int64_t created_ms, int64_t updated_ms);

/* Makes the path end at `leaf`, a message of this conversation; 0 empties the path. */
int store_conversation_set_leaf(struct store *s, int64_t id, int64_t leaf);

/* Deletes; until it is purged, the same or another handle can take it back. */
int store_conversation_delete(struct store *s, int64_t id);
int store_conversation_restore(struct store *s, int64_t id);
bool store_is_deleted(struct store *s, int64_t id); /* or never existed; false when unknown */

/*
 * Removes for good what this handle deleted, and what handles deleted that are gone: no word of it
 * is left in the file, its journal, its index or its old copies. This rewrites the search index: up
 * to a second for every 50,000 conversations. In several transactions: after a failure some of it
 * may be gone, and the next purge goes on. Not between store_begin and store_commit.
 */
int store_purge(struct store *s);

/* What made an answer. Strings as in the engine's own names; 0 or "" where not known. */
struct store_generation {
    const char *model;       /* as the user names it */
    const char *fingerprint; /* of the model file */
    const char *engine;      /* version of the engine */
    const char *device;      /* backend and device */
    const char *settings;    /* JSON object: temperature, top_p ... */
    const char *stop_reason;
    const char *error; /* why it failed */
    uint64_t seed;
    int64_t prompt_tokens; /* of these, cached_tokens needed no work */
    int64_t cached_tokens;
    int64_t completion_tokens; /* of these, reasoning_tokens before the answer */
    int64_t reasoning_tokens;
    double load_ms;
    double time_to_first_token_ms;
    double generation_time_ms;
};

struct store_message {
    int64_t id;
    int64_t conversation;
    int64_t parent; /* 0: a root */
    int64_t created_ms;
    enum store_role role;
    enum store_state state;
    bool damaged;      /* its text or its place in the tree is not what was written */
    bool window_start; /* of the context: models are given nothing from before this message */
    const char *text[STORE_KINDS];
    size_t len[STORE_KINDS];                   /* bytes; text may hold NULs */
    const struct store_generation *generation; /* NULL when nothing generated it */
};

struct store_messages {
    size_t count;
    struct store_message *items;
};

/* As the parent of a new message: the conversation's leaf at that moment. */
enum { STORE_LEAF = -1 };

/* A message about to be written; it becomes the conversation's leaf. */
struct store_draft {
    int64_t conversation;
    int64_t parent; /* a message of the conversation, 0 for a root, or STORE_LEAF */
    enum store_role role;
    int64_t created_ms;                        /* 0: now; outside 1970 to 9999: unknown */
    const struct store_generation *generation; /* what is known so far; NULL for none */
};

/* Writes a whole message at once: a question, a tool's result, an imported turn. */
int store_message_add(struct store *s, const struct store_draft *draft, const char *text,
                      size_t len, int64_t *id_out);

/*
 * Writes a message as it streams. Each append costs a write to the disk: gather 100 to 200 ms of
 * text first. Appends of the kinds may alternate. The generation given at the end replaces the
 * draft's; NULL keeps it. Only the handle that began a message may continue it.
 */
int store_message_begin(struct store *s, const struct store_draft *draft, int64_t *id_out);
int store_message_append(struct store *s, int64_t id, enum store_kind kind, const char *text,
                         size_t len);
int store_message_end(struct store *s, int64_t id, enum store_state state,
                      const struct store_generation *generation);

/* Sets or clears the mark that the context window begins at this message. */
int store_message_set_window_start(struct store *s, int64_t id, bool window_start);

/*
 * Reopens a message that has ended, or whose writer is gone, for appending and ending again, as if
 * this handle had begun it. STORE_EBUSY: another handle is writing it.
 */
int store_message_resume(struct store *s, int64_t id);

/* The conversation's current path, root first. */
int store_message_path(struct store *s, int64_t conversation, struct store_messages **out);

/* All children of one message, oldest first; parent 0 gives the conversation's roots. */
int store_message_children(struct store *s, int64_t conversation, int64_t parent,
                           struct store_messages **out);

/* The whole tree, or the messages newer than `after`, oldest first, so that parents come before
 * children. */
int store_message_tree(struct store *s, int64_t conversation, int64_t after,
                       struct store_messages **out);
void store_messages_free(struct store_messages *list);

struct store_prompts {
    size_t count;
    const char **items;
};

/* The user's latest prompts, each text once, newest first. */
int store_prompts(struct store *s, size_t limit, struct store_prompts **out);
void store_prompts_free(struct store_prompts *list);

/* Where to search: any combination, 0 for everywhere. */
enum store_scope { STORE_IN_QUESTIONS = 1, STORE_IN_ANSWERS = 2, STORE_IN_REASONING = 4 };

struct store_hit {
    int64_t conversation;
    int64_t message;
    int64_t created_ms;   /* of the message */
    enum store_kind kind; /* which text of the message it is, */
    unsigned where;       /* and the same as a scope */
    double score;         /* higher is better; comparable within one query only */
    const char *title;    /* of the conversation */
    const char *snippet;  /* the match and its surroundings, on character boundaries */
    size_t match_at;      /* bytes in the snippet */
    size_t match_len;
};

struct store_hits {
    size_t count;
    struct store_hit *items; /* the best of those found; for short words, the newest */
    size_t found;
    int64_t next; /* where to continue; 0: everything was searched */
};

struct store_query {
    const char *text;
    unsigned scope;
    size_t limit;   /* most hits to return */
    int64_t before; /* 0: from the newest message on; else the `next` of hits with the same text */
    int ms;         /* time limit, roughly; 0: none */
};

/*
 * Finds texts that hold every word of the query, or every phrase in double quotes, also inside
 * longer words and in any case. A message gives one hit: its answer, else its reasoning. The query
 * is plain text: nothing in it is an operator. A query without a word finds nothing.
 *
 * Messages are searched from the newest on until there are enough hits to choose from or the time
 * is up.
 */
int store_search_some(struct store *s, const struct store_query *query, struct store_hits **out);
/* The same, from the newest on and without a limit of time. */
int store_search(struct store *s, const char *query, unsigned scope, size_t limit,
                 struct store_hits **out);
void store_hits_free(struct store_hits *list);

#endif
