/* engine.h - the one door to the engine: a language model in this process.
 *
 * An engine is one loaded model with its tokenizer, its chat template, a KV cache and a scheduler,
 * served by a thread of its own. The caller submits requests (a conversation and sampling settings)
 * and reads events (pieces of text, the end). It never sees a tensor, and no call here waits for
 * the model but those of the last section, which say so.
 *
 *     engine_open(&e, &options, err, sizeof err);
 *     engine_submit(e, &request, &id, err, sizeof err);
 *     while ((ev = engine_next_event(e, -1)) && ev->type != ENGINE_DONE) ...
 *     engine_close(e);
 *
 * Threads: engine_open and engine_close once each; between them every function may be called from
 * any thread, but engine_next_event from one thread at a time. A UI polls engine_wake_fd, which is
 * readable while events wait, and then calls engine_next_event(e, 0) until it returns NULL.
 *
 * Failure is data. Functions return 0 or one of enum engine_error and write one line to err; a
 * request that fails ends in an ENGINE_DONE event; an engine that cannot go on sends ENGINE_FATAL.
 * Nothing here prints, exits or aborts on bad input, files, memory or devices.
 *
 * Text is UTF-8. Lengths are in bytes. What the user, a file or a tool wrote can never become a
 * control token: only the template's own markers are inserted, by id. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

enum engine_error {
    ENGINE_ERROR = -1,   /* anything not below; err says what */
    ENGINE_EMODEL = -2,  /* the model file is missing, damaged or not supported */
    ENGINE_EMEMORY = -3, /* memory or device too small, or the device failed */
    ENGINE_EFIT = -4,    /* the prompt does not fit the context */
    ENGINE_EINPUT = -5,  /* the request itself is wrong: messages, tools, settings */
    ENGINE_ECANCEL = -6, /* the caller gave up what it had asked for */
};

/* Opening */

enum engine_device { ENGINE_DEVICE_AUTO, ENGINE_DEVICE_CPU, ENGINE_DEVICE_CUDA };
/* Number formats of the KV cache. F32 is for exact comparisons; Q8, 8-bit integers in blocks of
 * 32, takes about half of F16's memory. */
enum engine_kv_type { ENGINE_KV_F16, ENGINE_KV_F32, ENGINE_KV_Q8 };

/* As n_parallel: as many answers at a time as the device benefits from, while the KV cache stays
 * small beside the memory there is. */
enum { ENGINE_PARALLEL_BEST = -1 };

/* When memory is too small for a model: bytes on its device; 0: that was not the reason. */
struct engine_shortage {
    uint64_t needed, available;
};

struct engine_options {
    const char *model_path; /* a GGUF file, or the folder of a Hugging Face release */
    bool vocab_only;        /* metadata and tokenizer only; the file needs no tensors */
    enum engine_device device;
    int n_threads;               /* CPU threads; 0 = the cores this process may use */
    int n_ctx;                   /* longest sequence in tokens; 0 = 4096 or the model's own limit */
    int n_parallel;              /* answers at a time, each of up to n_ctx tokens; 0 = 1 */
    enum engine_kv_type kv_type; /* Q8 becomes F16 where a head is not a multiple of 32 */
    uint64_t host_memory;        /* CPU: at most this many bytes; 0 = what is free */
    uint64_t device_memory;      /* CUDA: the same of the GPU's */
    uint64_t reserved_memory;    /* of what is free, left for others that are about to take it */
    bool reproducible;           /* CUDA: the same bytes whatever else is in the batch */
    struct engine_shortage *shortage; /* or NULL; set by engine_open */
};

/* Reads and checks the whole header, builds the tokenizer, plans memory and starts the engine's
 * thread, which then prepares the weights. Requests may be submitted at once; they wait for that.
 * ENGINE_READY or ENGINE_FATAL reports the outcome. *out is the caller's, for engine_close. */
int engine_open(struct engine **out, const struct engine_options *opt, char *err, size_t errlen);

/* Whether this build and this machine have a GPU for ENGINE_DEVICE_AUTO; if its memory is too
 * small, the CPU is chosen all the same. Wakes the driver: some tenths of a second at most. */
bool engine_has_gpu(void);

/* Cancels what is running, joins the thread, frees everything. NULL is fine. */
void engine_close(struct engine *e);

enum engine_family { ENGINE_FAMILY_DEEPSEEK, ENGINE_FAMILY_LLAMA };

struct engine_sampling {
    float temperature;    /* 0 = greedy: always the most likely token */
    int top_k;            /* 0 = off */
    float top_p, min_p;   /* 1 and 0 = off */
    float repeat_penalty; /* 1 = off; over the last 64 tokens */
    uint64_t seed;        /* same seed, settings, model and prompt: same answer */
};

/* Facts of an open engine; constant, owned by it. */
struct engine_info {
    const char *name;         /* general.name, or the file's name */
    const char *architecture; /* "qwen2", "llama" */
    const char *type;         /* of most weights: "Q8_0", "Q4_K", "BF16" ... */
    const char *device;       /* "CPU, 2 threads, AVX-512 VNNI" */
    bool on_gpu;
    enum engine_family family; /* of the chat template */
    bool thinks;               /* its answers begin with reasoning */
    int n_vocab, n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff;
    int n_ctx, n_ctx_train;      /* tokens: this engine's limit, the model's */
    int n_parallel;              /* answers at a time */
    enum engine_kv_type kv_type; /* what is kept */
    uint64_t n_params, file_bytes;
    uint64_t weight_bytes, kv_bytes, scratch_bytes; /* planned, resident after load */
    uint64_t kv_token_bytes;                        /* of kv_bytes, for each position */
    const char *bus_address; /* of the GPU on the PCI bus, "00000000:1b:00.0"; NULL: a CPU */
    uint64_t fingerprint;    /* of the file's contents: same number, same model */
    /* Recommended by the model, else by its family; seed is 0. */
    struct engine_sampling sampling;
};
const struct engine_info *engine_info(const struct engine *e);

const char *engine_kv_type_name(enum engine_kv_type type); /* "f16", "f32", "q8" */

/* Tokens in the KV cache, those of ended requests included: a prompt that begins with them is not
 * computed again. Changes while requests run. */
int engine_cached_tokens(const struct engine *e);

/* The file's metadata and tensor directory as one JSON object {"metadata": {...}, "tensors":
 * [{"name", "type", "shape", "bytes"}...]}; long arrays are shortened to their first elements and
 * their length. The caller's to free. NULL when out of memory. */
char *engine_describe(const struct engine *e);

/* Asking */

enum engine_think {
    ENGINE_THINK_AUTO, /* as the family's template has it */
    ENGINE_THINK_OFF,  /* the reasoning is closed before it begins */
    ENGINE_THINK_ON, /* the reasoning is opened even where the template leaves that to the model */
};

enum engine_partial_reasoning {
    ENGINE_PARTIAL_AUTO,   /* as the tokens have it; without them, closed if there is an answer */
    ENGINE_PARTIAL_OPEN,   /* goes on, whatever followed it */
    ENGINE_PARTIAL_CLOSED, /* has ended */
};

/* A partial answer, for the model to continue. The texts decide: the tokens are used as
 * far as they spell them, which makes the answer the one it would have been without the
 * interruption (with the same sampling); any text after that is tokenized. */
struct engine_partial {
    const char *reasoning, *answer; /* may be NULL where the length is 0 */
    size_t reasoning_len, answer_len;
    const int32_t *tokens; /* as the events brought them; may be NULL */
    size_t n_tokens;
    enum engine_partial_reasoning state;
};

/* Everything in a request is copied. */
struct engine_request {
    /* JSON array in the form of OpenAI's chat API: objects with role and content, and for tool use
     * tool_calls. */
    const char *messages;
    /* Or NULL: the prompt itself [n_tokens], in place of messages. For measuring: any ids may be
     * in it, and all output counts as answer. */
    const int32_t *tokens;
    size_t n_tokens;

    const char *tools; /* JSON array of tools, or NULL */
    /* "auto" (NULL): the model calls a tool or answers; "required": it calls one; "none"; or the
     * name of the one that it calls. */
    const char *tool_choice;
    const char *schema;  /* JSON Schema that the answer conforms to, or NULL */
    const char *grammar; /* GBNF grammar whose root the answer is, or NULL; not with a schema */
    const char *date;    /* "26 Jul 2024": today in Llama's template; NULL = today */

    struct engine_sampling sampling;
    int max_tokens;          /* 0 = until the context is full */
    const char *const *stop; /* texts that end the answer and are not part of it; NULL-terminated */
    enum engine_think think; /* without effect on a family that does not think */
    /* Reasoning is closed after this many tokens; 0 = never. Those of a partial answer count,
     * unless its reasoning is opened again. */
    int reasoning_budget;
    const struct engine_partial *partial; /* or NULL */
    bool ignore_eos; /* ignores the model's end of answer, up to max_tokens: for measuring */
};

/* An answer that must have a form (schema, grammar, tool calls) has it whenever the model ended
 * it; the reasoning before it is free. Where max_tokens or a stop text cut it short, the end event
 * says `unfinished`. A schema with an unsupported keyword is refused, with the keyword's name. */

/* Queues a request. Tokenizes here, so that a prompt which does not fit (ENGINE_EFIT) or is wrong
 * (ENGINE_EINPUT) is refused at once. *id_out names the request in its events; never 0. After
 * ENGINE_FATAL a request is taken too, and ends at once with the same error. */
int engine_submit(struct engine *e, const struct engine_request *req, uint64_t *id_out, char *err,
                  size_t errlen);

/* Ends a request soon (within one operation of one layer), in any phase; its ENGINE_DONE still
 * comes. Returns at once; unknown and finished ids are ignored. */
void engine_cancel(struct engine *e, uint64_t id);

/* Closes the reasoning at the next token, so that the model answers. Returns at once, from any
 * thread. A request that has not begun to think closes it first thing; one that does not think, or
 * thinks no more, and unknown ids are not affected. */
void engine_answer_now(struct engine *e, uint64_t id);

/* Listening */

enum engine_event_type {
    ENGINE_READY,   /* the weights are loaded; load_ms */
    ENGINE_PREFILL, /* the prompt is being read: prompt_done of usage.prompt_tokens */
    ENGINE_TEXT,    /* a piece of the answer; usage is as of now */
    ENGINE_DONE,    /* the last event of a request */
    ENGINE_FATAL,   /* the engine cannot go on; every live request has had its ENGINE_DONE */
};

enum engine_text {
    ENGINE_REASONING,
    ENGINE_ANSWER,
    ENGINE_CALL, /* calls of tools, as the family writes them; read in the end event's tool_calls */
};

enum engine_stop {
    ENGINE_STOP_END,    /* the model ended its answer, or a stop text was met */
    ENGINE_STOP_LENGTH, /* max_tokens or the end of the context */
    ENGINE_STOP_CANCEL,
    ENGINE_STOP_ERROR, /* error, error_text */
};

struct engine_usage {
    int prompt_tokens, cached_tokens; /* cached: found in the KV cache, not computed again */
    int partial_tokens;               /* of the prompt, those of the partial answer */
    int partial_reasoning_tokens;     /* of those, as below */
    int completion_tokens;            /* all of the answer, reasoning included */
    int reasoning_tokens;             /* of those, up to and including the closing tag */
    double time_to_first_token_ms;    /* from submit */
    double generation_time_ms;        /* from the first token to the latest */
};

struct engine_event {
    enum engine_event_type type;
    uint64_t request; /* 0 for READY and FATAL */
    enum engine_text kind;
    const char *text; /* whole characters, len bytes, NUL-terminated; never part of a marker */
    size_t len;
    /* Of TEXT and DONE: the answer's tokens since the last event; all of them, in order, are what
     * engine_partial takes. */
    const int32_t *tokens;
    size_t n_tokens;
    int prompt_done;
    struct engine_usage usage;
    enum engine_stop stop;
    enum engine_error error;
    const char *error_text;
    /* DONE: a JSON array of the calls that were completed, as in OpenAI's API (arguments as text);
     * NULL if there are none. */
    const char *tool_calls;
    bool unfinished; /* DONE: the answer ended before it had the form it must have */
    double load_ms;
};

int engine_wake_fd(const struct engine *e);

/* The next event, or NULL after timeout_ms without one (0 = at once, -1 = wait). Valid until the
 * next call. Unfetched text of one request and kind arrives as one event, so a slow reader costs
 * no memory but the text's own. */
const struct engine_event *engine_next_event(struct engine *e, int timeout_ms);

/* Looking inside */

/* Token ids of a text. With `special`, texts of control tokens become those tokens; without, never.
 * No BOS is added. *ids_out is the caller's to free. */
int engine_tokenize(const struct engine *e, const char *text, size_t len, bool special,
                    int32_t **ids_out, size_t *n_out);

/* The bytes that ids stand for, markers included, NUL-terminated; the caller's to free. Ids outside
 * the vocabulary are ENGINE_EINPUT. */
int engine_detokenize(const struct engine *e, const int32_t *ids, size_t n, char **out,
                      size_t *len_out);

struct engine_prompt {
    char *text; /* byte for byte what the reference template renders */
    int32_t *ids;
    size_t len, n_ids;
};

struct engine_rendering {
    bool generate;         /* the model's turn is opened */
    const char *variables; /* a JSON object of further template variables, or NULL */
    size_t most;           /* tokens that are wanted at most; 0: any number */
};

/* Renders a request's messages. *out's members are the caller's to free. ENGINE_EFIT: there are
 * more tokens than wanted; how many was not counted. */
int engine_render(const struct engine *e, const struct engine_request *req,
                  const struct engine_rendering *how, struct engine_prompt *out, char *err,
                  size_t errlen);

struct engine_evaluation {
    const int32_t *tokens; /* [n_tokens], as one new sequence; nothing is added */
    size_t n_tokens;
    size_t n_greedy; /* then this many more, each the most likely token; ends do not stop it */
    int chunk;       /* prefill in pieces of this many tokens; 0 = as large as a step can be */
    /* Called for each position in order, in the engine's thread: logits [n_vocab]. */
    void (*position)(void *ud, size_t position, const float *logits, int n_vocab);
    void *ud;
};

/* Runs the model over tokens and waits for it. No other request may be live. */
int engine_evaluate(struct engine *e, const struct engine_evaluation *ev, char *err, size_t errlen);

/* The device's read bandwidth: bytes a second of n passes, one after the other, over memory that
 * is in no cache and is allocated for this alone. 0 each where too little is free. Waits, half a
 * second or so; no request may be live. ENGINE_ECANCEL: another thread called engine_cancel with
 * id 0 meanwhile. */
int engine_bandwidth(struct engine *e, double *passes, int n, char *err, size_t errlen);

/* Converting: needs no open engine, and may run beside one */

enum engine_convert_type {
    ENGINE_CONVERT_F16,
    ENGINE_CONVERT_BF16,
    ENGINE_CONVERT_Q8_0,
    ENGINE_CONVERT_Q4_K_M, /* Q4_K, with Q6_K for the output and some tensors of some layers */
};

struct engine_convert_step {
    const char *tensor;   /* being written */
    const char *type;     /* its number format */
    bool begins;          /* the first step of this tensor; then: */
    const char *instead;  /* NULL, or the format that was wanted but does not divide its rows */
    uint64_t done, total; /* bytes of the file */
};

struct engine_convert {
    const char *model_path; /* as engine_options has it; its weights in F32, F16, BF16 or Q8_0 */
    const char *out_path;
    enum engine_convert_type type;
    bool replace;  /* an existing file is replaced */
    int n_threads; /* 0 = the cores this process may use */
    /* Called in the caller's thread with each piece of a few MiB; false gives up. NULL is fine. */
    bool (*step)(void *ud, const struct engine_convert_step *step);
    void *ud;
};

/* Writes a GGUF v3 file with the model's tokenizer, template, settings and weights, and waits for
 * that. The file gets its name when it is complete and on the disk; after an error or
 * ENGINE_ECANCEL nothing is left of it. ENGINE_EMODEL: the source cannot be used; ENGINE_ERROR:
 * the file cannot be written. The same source gives the same bytes, on any machine. */
int engine_convert(const struct engine_convert *c, char *err, size_t errlen);

#endif
