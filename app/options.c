/* options.c - see options.h. The table is what --help, the manual and the completions are checked
 * against. */
#include "app/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REFUSE(spellings, why)                                                                     \
    {                                                                                              \
        NULL, spellings, .help = (why), .type = ARGS_REFUSE, .where = IN_ALL                       \
    }
#define AT(member) .offset = offsetof(struct options, member)

static const double max_seed = 9007199254740991; /* every number up to it is exact in JSON */

static const struct args_option options[] = {
    {"Prompt", "-p --prompt", NULL, "TEXT", "the question; so are words that are not options",
     ARGS_TEXT, AT(prompt), .where = IN_CHAT},
    {"Prompt", "-f --file", "--prompt-file", "FILE", "text put before the question; - is stdin",
     ARGS_TEXTS, AT(files), .where = IN_CHAT},
    {"Prompt", "--system", "-sys --system-prompt", "TEXT", "the system prompt", ARGS_TEXT,
     AT(system), .where = IN_CHAT | IN_BATCH | IN_CONFIG | IN_EVAL},
    {"Prompt", "--date", NULL, "DAY", "the day that a prompt tells (default: today)", ARGS_DAY,
     AT(date), .where = IN_CHAT | IN_BATCH | IN_CONFIG},

    {"Model", "-m --model", NULL, "NAME", "deepseek, llama, demo-deepseek, demo-llama or a file",
     ARGS_TEXT, AT(model),
     .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_CONFIG | IN_EVAL},
    {"Model", "--device", "--backend -dev", "WHERE", "auto (on a GPU if there is one), cpu or cuda",
     ARGS_CHOICE, AT(device), .choices = "auto cpu cuda" /* as enum engine_device */,
     .same = "auto cpu gpu",
     .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_CONFIG | IN_EVAL},
    {"Model", "--cpu", NULL, NULL, "the same as --device cpu", ARGS_SET, AT(device),
     .set = ENGINE_DEVICE_CPU, .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_EVAL},
    {"Model", "--cuda", "--gpu", NULL, "the same as --device cuda", ARGS_SET, AT(device),
     .set = ENGINE_DEVICE_CUDA, .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_EVAL},
    {NULL, "-ngl --gpu-layers --n-gpu-layers", NULL, "N", NULL, ARGS_ZERO, AT(device), 0, 1000000,
     .set = ENGINE_DEVICE_CPU, .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_EVAL},
    {"Model", "--memory-limit", NULL, "MIB", "most MiB of memory for all models together", ARGS_INT,
     AT(memory_limit), 1, 16777216,
     .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_EVAL | IN_CONFIG},
    {"Model", "--vram-limit", NULL, "MIB", "the same for the GPU's memory", ARGS_INT,
     AT(vram_limit), 1, 1048576,
     .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_CONFIG | IN_EVAL},
    {"Model", "--reproducible", NULL, NULL, "on a GPU: same bytes whatever else is computed",
     ARGS_FLAG, AT(reproducible),
     .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_CONFIG | IN_EVAL},
    {"Model", "-t --threads", NULL, "N", "CPU threads (default: all cores)", ARGS_INT,
     AT(n_threads), 1, 1024,
     .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_CONVERT | IN_EVAL | IN_CONFIG},
    {"Model", "--ctx", "--ctx-size --num-ctx", "N",
     "longest conversation in tokens (default: up to 4096)", ARGS_TOKENS, AT(n_ctx), 16, 1048576,
     .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_CONFIG | IN_EVAL},
    {"Model", "--kv-type", "--kv", "TYPE", "KV cache: f16 (default), q8 (half of that), f32",
     ARGS_CHOICE, AT(kv_type), .choices = "f16 f32 q8" /* as enum engine_kv_type */,
     .where = IN_CHAT | IN_BATCH | IN_INSPECT | IN_BENCH | IN_CONFIG | IN_EVAL},

    {"Sampling (default: as the model recommends)", "-n --max-tokens",
     "--tokens --predict --num-predict", "N", "longest answer, reasoning included", ARGS_TOKENS,
     AT(max_tokens), 1, 1048576, .where = IN_CHAT | IN_BATCH | IS_PARAMETER | IN_CONFIG | IN_EVAL},
    {"Sampling (default: as the model recommends)", "--temp", "--temperature", "X",
     "0 always takes the likeliest token", ARGS_REAL, AT(temperature), 0, 10,
     .where = IN_CHAT | IN_BATCH | IS_PARAMETER | IN_CONFIG | IN_EVAL},
    {"Sampling (default: as the model recommends)", "--top-k", NULL, "N",
     "sample the N likeliest tokens; 0: all", ARGS_INT, AT(top_k), 0, 1000000,
     .where = IN_CHAT | IN_BATCH | IS_PARAMETER | IN_CONFIG | IN_EVAL},
    {"Sampling (default: as the model recommends)", "--top-p", NULL, "X",
     "sample the likeliest that make up this share", ARGS_REAL, AT(top_p), 0, 1,
     .where = IN_CHAT | IN_BATCH | IS_PARAMETER | IN_CONFIG | IN_EVAL},
    {"Sampling (default: as the model recommends)", "--min-p", NULL, "X",
     "sample those at least X times as likely as the first", ARGS_REAL, AT(min_p), 0, 1,
     .where = IN_CHAT | IN_BATCH | IS_PARAMETER | IN_CONFIG | IN_EVAL},
    {"Sampling (default: as the model recommends)", "--repeat-penalty", NULL, "X",
     "above 1 avoids what was just said", ARGS_REAL, AT(repeat_penalty), 0.1, 10,
     .where = IN_CHAT | IN_BATCH | IS_PARAMETER | IN_CONFIG | IN_EVAL},
    {"Sampling (default: as the model recommends)", "--seed", NULL, "N",
     "the same seed gives the same answer", ARGS_INT, AT(seed), 0, max_seed,
     .where = IN_CHAT | IN_BATCH | IS_PARAMETER | IN_CONFIG | IN_EVAL},

    {"Reasoning", "--think", NULL, "WHEN", "whether the model thinks first: auto, off, on",
     ARGS_CHOICE, AT(think), .choices = "auto off on" /* as enum engine_think */, .implied = "on",
     .same = "auto false true", .where = IN_CHAT | IN_BATCH | IS_PARAMETER | IN_CONFIG | IN_EVAL},
    {"Reasoning", "--nothink", "--no-think", NULL, "the same as --think=off", ARGS_SET, AT(think),
     .set = ENGINE_THINK_OFF, .where = IN_CHAT | IN_BATCH | IN_EVAL},
    {"Reasoning", "--reasoning-budget", NULL, "N", "close the reasoning after N tokens",
     ARGS_TOKENS, AT(reasoning_budget), 0, 1048576,
     .where = IN_CHAT | IN_BATCH | IS_PARAMETER | IN_CONFIG | IN_EVAL},
    {"Reasoning", "--reasoning", NULL, "HOW", "on the screen, beside an answer: folded, open, last",
     ARGS_CHOICE, AT(reasoning), .choices = "folded open last" /* as enum ui_fold */,
     .where = IN_CHAT | IN_CONFIG},

    {"Form of the answer", "--schema", "-j -jf --json-schema --json-schema-file", "FILE",
     "JSON of this schema: file, text, or 'name, age int'", ARGS_TEXT, AT(schema),
     .where = IN_CHAT | IN_BATCH},
    {"Form of the answer", "--grammar", "--grammar-file", "FILE", "what this GBNF grammar allows",
     ARGS_TEXT, AT(grammar), .where = IN_CHAT | IN_BATCH},
    {"Form of the answer", "--tools", NULL, "FILE", "tools that may be called, as in OpenAI's API",
     ARGS_TEXT, AT(tools), .where = IN_CHAT | IN_BATCH},
    {"Form of the answer", "--tool-choice", NULL, "WHICH",
     "auto, required, none or the name of a tool", ARGS_TEXT, AT(tool_choice),
     .where = IN_CHAT | IN_BATCH},

    {"History", "-c --continue", NULL, NULL, "continue the last conversation", ARGS_FLAG,
     AT(resume), 256,
     .sized = "-c continues the last conversation, the size of the context is --ctx N (a prompt "
              "like this goes after --)",
     .where = IN_CHAT},
    {"History", "-c --continue", "--last", NULL, "the last conversation", ARGS_FLAG, AT(resume),
     .where = IN_LOG | IN_EXPORT},
    {"History", "--session", "--cid", "ID", "continue this one: its number or its title", ARGS_TEXT,
     AT(session), .where = IN_CHAT},
    {"History", "-l --list", NULL, NULL, "without a verb: duet log", ARGS_FLAG, AT(list),
     .where = IN_LOG},
    {"History", "--no-log", "--no-save", NULL, "keep nothing of this conversation", ARGS_FLAG,
     AT(no_log), .where = IN_CHAT | IN_CONFIG},
    {"History", "--db", NULL, "FILE", "the history database", ARGS_TEXT, AT(db),
     .where = IN_CHAT | IN_HISTORY | IN_CONFIG},
    {"History", "--format", NULL, "FORM", "md, json, jsonl or html (default md)", ARGS_CHOICE,
     AT(format), .choices = "md json jsonl html" /* as enum export_format */, .where = IN_EXPORT},
    {"History", "-n --lines", NULL, "N", "at most this many (default 20)", ARGS_INT, AT(n_lines), 1,
     1000000000, .where = IN_LOG | IN_SEARCH},
    {"History", "--in", NULL, "WHERE", "question, answer, reasoning, or several with commas",
     ARGS_TEXT, AT(in), .where = IN_SEARCH},
    {"History", "-y --yes", NULL, NULL, "delete without asking", ARGS_FLAG, AT(yes),
     .where = 1 << VERB_RM | IN_MODELS},

    {"Output", "--json", NULL, NULL, "one JSON object instead of text", ARGS_FLAG, AT(json),
     .where = IN_CHAT | IN_INSPECT | IN_BENCH | IN_EVAL},
    {"Output", "--json", NULL, NULL, "a JSON object a line instead of text", ARGS_FLAG, AT(json),
     .where = IN_LOG | IN_SEARCH},
    {"Output", "--json", NULL, NULL, "JSON instead of text", ARGS_FLAG, AT(json),
     .where = IN_MODELS | IN_PS},
    {"Output", "--json", NULL, NULL, "progress as JSON lines", ARGS_FLAG, AT(json),
     .where = IN_PULL},
    {"Output", "--stream-json", NULL, NULL, "a JSON object for each piece of text", ARGS_FLAG,
     AT(stream_json), .where = IN_CHAT},
    {"Output", "--jsonl", NULL, NULL, "JSON lines, in and out; without a verb: duet batch",
     ARGS_FLAG, AT(jsonl), .where = IN_BATCH | IN_INSPECT},
    {"Output", "-x --extract", NULL, NULL, "only the first code block of the answer", ARGS_FLAG,
     AT(extract), .where = IN_CHAT},
    {"Output", "--boxed", NULL, NULL, "only the contents of the answer's \\boxed{}", ARGS_FLAG,
     AT(boxed), .where = IN_CHAT},
    {"Output", "-S --no-stream", NULL, NULL, "print the answer when it is complete", ARGS_FLAG,
     AT(no_stream), .where = IN_CHAT | IN_CONFIG},
    {"Output", "--timeout", NULL, "SECONDS", "stop an answer that takes longer; exit status 124",
     ARGS_REAL, AT(timeout_s), 0.001, 1e9, .where = IN_CHAT},
    {"Output", "--dry-run", NULL, NULL, "print the prompt that the model would be given", ARGS_FLAG,
     AT(dry_run), .where = IN_CHAT},
    {"Output", "-R --hide-reasoning", "--hidethinking", NULL, "do not show the reasoning",
     ARGS_FLAG, AT(hide_reasoning), .where = IN_CHAT | IN_CONFIG},
    {"Output", "-r --raw", NULL, NULL, "on a terminal: formulas and lines as written", ARGS_FLAG,
     AT(raw), .where = IN_CHAT | IN_CONFIG},
    {"Output", "--plain", NULL, NULL, "line by line, without a screen", ARGS_FLAG, AT(plain),
     .where = IN_CHAT | IN_CONFIG},
    {"Output", "--editing-mode", NULL, "KEYS", "keys for editing text: emacs or vi", ARGS_CHOICE,
     AT(editing), .choices = "emacs vi" /* as enum editing */, .where = IN_CHAT | IN_CONFIG},
    {"Output", "--color", "--colour", "WHEN", "auto, on or off", ARGS_CHOICE, AT(color),
     .choices = "auto on off", .same = "auto always never", .where = IN_CHAT | IN_CONFIG},
    {"Output", "--theme", NULL, "NAME", "colours: auto, dark, light, contrast, none", ARGS_CHOICE,
     AT(theme), .choices = "auto dark light contrast none" /* as enum ui_theme */,
     .where = IN_CHAT | IN_CONFIG},
    {"Output", "--mouse", NULL, NULL, "the mouse scrolls, opens and folds", ARGS_FLAG, AT(mouse),
     .where = IN_CHAT | IN_CONFIG},
    {"Output", "--notify", NULL, "HOW", "when a long answer is done: off, bell or osc9",
     ARGS_CHOICE, AT(notify), .choices = "off bell osc9" /* as enum ui_notify */,
     .where = IN_CHAT | IN_CONFIG},
    {"Output", "-q --quiet", NULL, NULL, "no notices; of models only names, of log numbers",
     ARGS_FLAG, AT(quiet),
     .where = IN_CHAT | IN_BATCH | IN_LOG | IN_MODELS | IN_PS | IN_BENCH | IN_CONVERT | IN_PULL |
              IN_EVAL | IN_CONFIG},
    {"Output", "-u --usage", NULL, NULL, "counts of tokens on stderr", ARGS_FLAG, AT(usage),
     .where = IN_CHAT | IN_CONFIG},
    {"Output", "--verbose", NULL, NULL, "the numbers of each answer on stderr", ARGS_FLAG,
     AT(verbose), .where = IN_CHAT | IN_CONFIG},

    {"Getting a model", "--from", NULL, "URL", "the file's address, or a mirror's", ARGS_TEXT,
     AT(from), .where = IN_PULL},
    {"Getting a model", "--sha256", NULL, "HEX", "the digest that the file must have", ARGS_TEXT,
     AT(sha256), .where = IN_PULL},
    {"Getting a model", "--timeout", NULL, "SECONDS",
     "patience with a server that is silent (default 30)", ARGS_REAL, AT(timeout_s), 0.001, 1e6,
     .where = IN_PULL},

    {"Many prompts", "--parallel", NULL, "N", "answers at a time (default: what memory allows)",
     ARGS_INT, AT(n_parallel), 1, 256, .where = IN_BATCH | IN_EVAL},
    {"Many prompts", "--unordered", NULL, NULL, "write answers as they come", ARGS_FLAG,
     AT(unordered), .where = IN_BATCH},
    {"Many prompts", "--resume", NULL, "OUT", "add the missing answers to this file", ARGS_TEXT,
     AT(resume_from), .where = IN_BATCH},

    {"Problems", "--samples", NULL, "K", "answers to each problem (default 1): pass@1, maj@K",
     ARGS_INT, AT(n_samples), 1, 1000, .where = IN_EVAL},
    {"Problems", "--instruction", NULL, "TEXT", "put after each problem; '' for none", ARGS_TEXT,
     AT(instruction), .where = IN_EVAL},
    {"Problems", "--transcripts", NULL, "OUT", "file that keeps every answer, for later runs too",
     ARGS_TEXT, AT(transcripts), .where = IN_EVAL},
    {"Problems", "--html", NULL, "OUT", "write a report to read in a browser", ARGS_TEXT, AT(html),
     .where = IN_EVAL},

    {"Looking inside", "--special", NULL, NULL, "texts of control tokens become those tokens",
     ARGS_FLAG, AT(special), .where = IN_INSPECT},
    {"Looking inside", "--greedy", NULL, "N", "then N tokens more, each the likeliest", ARGS_INT,
     AT(n_greedy), 0, 1048576, .where = IN_INSPECT},

    {"Measuring", "--prompts", NULL, "N,N...",
     "sizes of the prompts in tokens (default 16,128,512)", ARGS_TEXT, AT(prompt_sizes),
     .where = IN_BENCH},
    {"Measuring", "--contexts", NULL, "N,N...", "tokens before an answer (default 128,2048)",
     ARGS_TEXT, AT(context_sizes), .where = IN_BENCH},
    {"Measuring", "--batch", NULL, "N,N...", "answers at a time (default 4)", ARGS_TEXT,
     AT(batch_sizes), .where = IN_BENCH},
    {"Measuring", "--generate", NULL, "N", "tokens of an answer (default 64)", ARGS_INT,
     AT(n_generate), 2, 100000, .where = IN_BENCH},
    {"Measuring", "--runs", NULL, "N", "times each is measured (default 5)", ARGS_INT, AT(n_runs),
     1, 1000, .where = IN_BENCH},
    {"Measuring", "--csv", NULL, NULL, "a line for each figure, with commas", ARGS_FLAG, AT(csv),
     .where = IN_BENCH},
    {"Measuring", "--markdown", "--md", NULL, "the table in Markdown", ARGS_FLAG, AT(markdown),
     .where = IN_BENCH},
    {"Measuring", "--compare", NULL, "FILE", "old, new and ratio; FILE is what --json wrote",
     ARGS_TEXT, AT(compare), .where = IN_BENCH},

    {"Converting", "--type", NULL, "FORMAT", "of the weights: q8_0 (default), q4_k_m, f16, bf16",
     ARGS_CHOICE, AT(convert_type), .choices = "f16 bf16 q8_0 q4_k_m" /* as engine_convert_type */,
     .where = IN_CONVERT},
    {"Converting", "--force", NULL, NULL, "replace the file that is there", ARGS_FLAG, AT(force),
     .where = IN_CONVERT},

    {"Other", "--recover", NULL, NULL, "save what can be read of a damaged history", ARGS_FLAG,
     AT(recover), .where = IN_CHAT},
    {"Other", "--dirs", NULL, NULL, "print where duet keeps things", ARGS_FLAG, AT(dirs),
     .where = IN_CHAT},
    {"Other", "-h --help", NULL, NULL, "print this; duet VERB --help says what a verb takes",
     ARGS_FLAG, AT(help), .where = IN_ALL},
    {"Other", "-V --version", NULL, NULL, "print the version", ARGS_FLAG, AT(version),
     .where = IN_ALL},
    {NULL, "--list-keys", NULL, NULL, NULL, ARGS_FLAG, AT(list_keys), .where = IN_ALL},
    {NULL, "--list-options", NULL, NULL, NULL, ARGS_FLAG, AT(list_options), .where = IN_ALL},

    /* What llama-cli and ollama have, which is spelt otherwise here or needs no option. */
    REFUSE("-s", "a seed is --seed N, a system prompt --system TEXT"),
    REFUSE("-v", "the numbers of an answer are --verbose, the version is --version"),
    REFUSE("-i -if -cnv --interactive --interactive-first --conversation",
           "duet talks on where no prompt is given; leave it out"),
    REFUSE("-st -no-cnv --single-turn --no-conversation", "a prompt gets one answer; leave it out"),
    REFUSE("-co", "colour is --color WHEN"),
    REFUSE(
        "-b -ub --batch-size --ubatch-size -fa --flash-attn --mlock --no-mmap --no-warmup --numa",
        "duet chooses what is fastest; leave it out"),
    REFUSE("-tb --threads-batch", "-t N counts for prompts too; leave it out"),
    REFUSE("-np", "answers at a time are --parallel N of duet batch"),
    REFUSE("-ctk -ctv --cache-type-k --cache-type-v", "the KV cache's numbers are --kv-type TYPE"),
    REFUSE("-mg -sm -ts --main-gpu --split-mode --tensor-split",
           "duet uses one GPU, which CUDA_VISIBLE_DEVICES chooses"),
    REFUSE("-hf -hfr -hff -mu --hf-repo --hf-file --model-url",
           "duet pull gets a model, -m FILE takes one that is there"),
    REFUSE("--jinja --chat-template --chat-template-file",
           "the template is the one in the model's file; leave it out"),
    REFUSE("--mirostat --typical --presence-penalty --frequency-penalty --repeat-last-n --samplers",
           "sampling is --temp, --top-k, --top-p, --min-p and --repeat-penalty"),
    REFUSE("-e --escape",
           "a prompt is taken as it is; one with several lines may come from -f FILE"),
    REFUSE("--reverse-prompt", "an answer ends where the model ends it; leave it out"),
    REFUSE("--no-display-prompt", "only the answer is printed; leave it out"),
    REFUSE("--simple-io", "line by line, without a screen, is --plain"),
    REFUSE("--log-disable", "no notices is -q"),
    REFUSE("--keepalive", "a model stays in memory as long as duet runs; leave it out"),
    REFUSE("--nowordwrap", "lines as they were written is --raw"),
    REFUSE("--insecure", "certificates are always checked; leave it out"),
    {NULL, "--format", .help = "an answer in JSON is --schema FILE, its numbers in JSON --json",
     .type = ARGS_REFUSE, .where = IN_CHAT | IN_BATCH},
};

const struct args_table options_table = {options, sizeof options / sizeof *options, 0, NULL};

void options_init(struct options *o)
{
    *o = (struct options){
        .temperature = NAN,
        .top_p = NAN,
        .min_p = NAN,
        .repeat_penalty = NAN,
        .top_k = -1,
        .seed = -1,
        .reasoning_budget = -1,
        .kv_type = -1,
        .n_samples = 1,
        .n_runs = 5,
        .n_generate = 64,
        .prompt_sizes = "16,128,512",
        .context_sizes = "128,2048",
        .batch_sizes = "4",
        .convert_type = ENGINE_CONVERT_Q8_0,
    };
}

struct engine_options options_engine(const struct options *o, const char *model_path)
{
    return (struct engine_options){
        .model_path = model_path,
        .device = (enum engine_device)o->device,
        .n_threads = (int)o->n_threads,
        .n_ctx = (int)o->n_ctx,
        .kv_type = o->kv_type < 0 ? ENGINE_KV_F16 : (enum engine_kv_type)o->kv_type,
        .host_memory = (uint64_t)o->memory_limit << 20,
        .device_memory = (uint64_t)o->vram_limit << 20,
        .reproducible = o->reproducible,
    };
}

int options_environment(struct options *o, char *err, size_t errlen)
{
    const char *model = getenv("DUET_MODEL"), *date = getenv("DUET_DATE");
    const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");
    if (model && *model)
        o->model = model;
    if ((no && *no) || (force && *force))
        o->color = COLOR_AUTO; /* options_color() asks them */
    if (date && *date)
        return args_set(args_find(&options_table, "--date"), "DUET_DATE", date, o, err, errlen);
    return 0;
}

bool options_color(const struct options *o, int fd)
{
    const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");
    if (o->color != COLOR_AUTO)
        return o->color == COLOR_ON;
    if (no && *no)
        return false;
    if (force && *force && strcmp(force, "0") != 0)
        return true;
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

enum ui_theme options_theme(const struct options *o, int fd)
{
    return options_color(o, fd) ? (enum ui_theme)o->theme : UI_THEME_NONE;
}

/* "-m, --model NAME" */
static int print_spelling(FILE *out, const struct args_option *o)
{
    const char *list = o->names, *word;
    int width = fprintf(out, "  %s", strncmp(list, "--", 2) == 0 ? "    " : "");
    bool first = true;
    for (size_t len; (word = args_next_word(&list, &len)); first = false)
        width += fprintf(out, "%s%.*s", first ? "" : ", ", (int)len, word);
    if (o->value)
        width += fprintf(out, o->implied ? "[=%s]" : " %s", o->value);
    return width;
}

void options_print(FILE *out, unsigned where)
{
    const char *section = "";
    for (size_t i = 0; i < options_table.n_options; i++) {
        const struct args_option *o = &options[i];
        if (!o->section || !(o->where & where))
            continue;
        if (strcmp(section, o->section) != 0)
            fprintf(out, "\n%s:\n", o->section);
        section = o->section;
        int width = print_spelling(out, o);
        fprintf(out, "%*s%s\n", width < 27 ? 27 - width : 1, "", o->help);
    }
}

/* A value that only `=` can give is part of the word that is completed. */
static void print_spellings_of_values(FILE *out, const struct args_option *o)
{
    const char *list = o->choices, *word;
    for (size_t len; (word = args_next_word(&list, &len));)
        fprintf(out, " %s=%.*s", o->names, (int)len, word);
    fprintf(out, "\t-");
}

void options_print_list(FILE *out, const char *const *verbs, size_t n_verbs)
{
    for (size_t i = 0; i < options_table.n_options; i++) {
        const struct args_option *o = &options[i];
        if (!o->section)
            continue;
        const char *comma = "";
        for (size_t v = 0; v < n_verbs; v++)
            if (o->where & 1u << v) {
                fprintf(out, "%s%s", comma, verbs[v]);
                comma = ",";
            }
        fprintf(out, "\t%s%s%s", o->names, o->others ? " " : "", o->others ? o->others : "");
        if (o->implied)
            print_spellings_of_values(out, o);
        else
            fprintf(out, "\t%s%s%s", o->value ? o->value : "-", o->choices ? "=" : "",
                    o->choices ? o->choices : "");
        fprintf(out, "\t%s%s\n", o->help, o->where & IN_CONFIG ? "\tconfig" : "");
    }
}
