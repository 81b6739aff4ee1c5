/* options.h - every option of duet, and the values they have. */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "app/args.h"
#include "engine/engine.h"
#include "ui/ui.h"

/* The verbs of the command line; verbs[] in main.c has them in this order. */
enum verb {
    VERB_CHAT,
    VERB_BATCH,
    VERB_LOG,
    VERB_SEARCH,
    VERB_EXPORT,
    VERB_IMPORT,
    VERB_RM,
    VERB_INSPECT,
    VERB_MODELS,
    VERB_PS,
    VERB_PULL,
    VERB_BENCH,
    VERB_CONVERT,
    VERB_EVAL,
};

/* Bits of args_option.where. */
enum {
    IN_CHAT = 1 << VERB_CHAT,
    IN_BATCH = 1 << VERB_BATCH,
    IN_LOG = 1 << VERB_LOG,
    IN_SEARCH = 1 << VERB_SEARCH,
    IN_EXPORT = 1 << VERB_EXPORT,
    IN_HISTORY = IN_LOG | IN_SEARCH | IN_EXPORT | 1 << VERB_IMPORT | 1 << VERB_RM,
    IN_INSPECT = 1 << VERB_INSPECT,
    IN_MODELS = 1 << VERB_MODELS,
    IN_PS = 1 << VERB_PS,
    IN_PULL = 1 << VERB_PULL,
    IN_BENCH = 1 << VERB_BENCH,
    IN_CONVERT = 1 << VERB_CONVERT,
    IN_EVAL = 1 << VERB_EVAL,
    IN_ALL = IN_CHAT | IN_BATCH | IN_HISTORY | IN_INSPECT | IN_MODELS | IN_PS | IN_PULL | IN_BENCH |
             IN_CONVERT | IN_EVAL,
    IS_PARAMETER = 1 << 16, /* /set parameter may change it while chatting */
    IN_CONFIG = 1 << 17,    /* may stand in the configuration file, under its long name */
};

enum color { COLOR_AUTO, COLOR_ON, COLOR_OFF };
enum editing { EDITING_EMACS, EDITING_VI };

struct options {
    /* What is asked. */
    const char *prompt, *system;
    struct args_texts files;
    int64_t date; /* 20240726; 0: today */
    bool resume;
    const char *session;

    /* Who answers. */
    const char *model;
    int64_t n_ctx, n_threads; /* 0: the engine chooses */
    int64_t memory_limit;     /* MiB of the machine's memory; 0: what is free */
    int64_t vram_limit;       /* MiB of the GPU's; the same */
    bool reproducible;
    int device;  /* enum engine_device */
    int kv_type; /* enum engine_kv_type; -1: what suits the verb */

    /* How. NAN and -1: as the model recommends; seed -1: a random one. */
    double temperature, top_p, min_p, repeat_penalty;
    int64_t top_k, seed, max_tokens;
    int think;                /* enum engine_think */
    int64_t reasoning_budget; /* tokens; -1: no limit */

    /* The form of the answer. */
    const char *schema, *grammar, *tools, *tool_choice;

    /* How it is shown and kept. */
    bool json, stream_json, no_stream, raw, extract, boxed, usage, dry_run;
    double timeout_s; /* 0: none */
    bool hide_reasoning, quiet, verbose, plain, no_log;
    int color;  /* enum color */
    int theme;  /* enum ui_theme */
    int notify; /* enum ui_notify */
    bool mouse;
    int reasoning; /* enum ui_fold: what becomes of it when the answer begins */
    int editing;   /* enum editing */
    const char *db;

    /* The history from the shell. */
    int format; /* enum export_format */
    int64_t n_lines;
    const char *in;
    bool yes;

    /* pull. */
    const char *from, *sha256;

    /* batch. */
    int64_t n_parallel; /* 0: as many as memory and device make worthwhile */
    bool unordered;
    const char *resume_from;

    /* eval. */
    int64_t n_samples;
    const char *instruction, *transcripts, *html;

    /* inspect and bench, which has more below. */
    bool special, jsonl;
    int64_t n_greedy, n_runs, n_generate;

    /* bench. */
    const char *prompt_sizes, *context_sizes, *batch_sizes, *compare;
    bool csv, markdown;

    /* convert. */
    int convert_type; /* enum engine_convert_type */
    bool force;

    bool help, version, dirs, recover, list, list_options, list_keys;
};

extern const struct args_table options_table;

/* Values as they are before any option. */
void options_init(struct options *o);

/* How the engine is opened for a model. */
struct engine_options options_engine(const struct options *o, const char *model_path);

/* Applies the environment: DUET_MODEL stands for -m, DUET_DATE for --date, and NO_COLOR overrides a
 * file's colour. Call it after the configuration file and before the command line. 0, or -1 with
 * one line in err. */
int options_environment(struct options *o, char *err, size_t errlen);

/* Whether the stream gets colour: the option, else NO_COLOR and CLICOLOR_FORCE, else a terminal. */
bool options_color(const struct options *o, int fd);

/* The colours of the screen: none where options_color() says so. */
enum ui_theme options_theme(const struct options *o, int fd);

/* The options of these verbs as --help shows them. */
void options_print(FILE *out, unsigned where);

/* One line an option for tools: verbs, spellings, value and choices, help; separated by tabs;
 * those of the configuration file are marked. */
void options_print_list(FILE *out, const char *const *verbs, size_t n_verbs);

#endif
