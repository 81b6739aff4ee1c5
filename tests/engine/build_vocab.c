/* build_vocab.c - the small vocabulary. The byte alphabet is written down here as GPT-2's encoder
 * does it, apart from the engine's own way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/build_vocab.h"

static const char *const merges[] = {
    "l l", "h e", "he ll", "hell o", "a a", "aa aa", "Ġ hello", "Ã ©", "o l", "Ġ Ġ", "ĠĠ ĠĠ", "Ċ Ċ",
};

static const char *const controls[] = {
    "<｜end▁of▁sentence｜>",
    "<｜User｜>",
    "<｜Assistant｜>",
    "<｜begin▁of▁sentence｜>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eom_id|>",
    "<|eot_id|>",
};

void build_vocab_letter(unsigned char byte, char out[3])
{
    unsigned next = 256, c = 0;
    for (unsigned b = 0; b <= byte; b++) {
        bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174);
        c = printable ? b : next++;
    }
    if (c < 0x80) {
        out[0] = (char)c;
        out[1] = '\0';
        return;
    }
    out[0] = (char)(0xC0 | c >> 6);
    out[1] = (char)(0x80 | (c & 0x3F));
    out[2] = '\0';
}

int32_t build_vocab_add(struct build_vocab *b, const char *text, enum tok_type type)
{
    size_t id = b->vocab.n_tokens++;
    assert_true(id < BUILD_VOCAB_MAX);
    assert_true((size_t)snprintf(b->text[id], sizeof b->text[id], "%s", text) < sizeof b->text[id]);
    b->tokens[id] = (struct tok_string){b->text[id], strlen(text)};
    b->types[id] = type;
    return (int32_t)id;
}

void build_vocab(struct build_vocab *b, const char *pre)
{
    *b = (struct build_vocab){0};
    b->vocab = (struct tok_vocab){
        .tokens = b->tokens,
        .types = b->types,
        .merges = b->merges,
        .pre = {pre, strlen(pre)},
        .bos = -1,
        .eos = -1,
        .add_bos = -1,
    };
    for (int byte = 0; byte < 256; byte++) {
        char letter[3];
        build_vocab_letter((unsigned char)byte, letter);
        build_vocab_add(b, letter, TOK_NORMAL);
    }
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
        char merged[64];
        const char *gap = strchr(merges[i], ' ');
        snprintf(merged, sizeof merged, "%.*s%s", (int)(gap - merges[i]), merges[i], gap + 1);
        build_vocab_add(b, merged, TOK_NORMAL);
        b->merges[b->vocab.n_merges++] = (struct tok_string){merges[i], strlen(merges[i])};
    }
    build_vocab_add(b, "xyz", TOK_NORMAL);
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        build_vocab_add(b, controls[i], TOK_CONTROL);
    build_vocab_add(b, "<think>", TOK_USER_DEFINED);
    build_vocab_add(b, "</think>", TOK_USER_DEFINED);
    build_vocab_add(b, "[PAD0]", TOK_UNUSED);
}

struct tokenizer *build_tokenizer(const char *pre)
{
    struct build_vocab b;
    struct tokenizer *t;
    char err[256];
    build_vocab(&b, pre);
    if (tok_open(&t, &b.vocab, err, sizeof err) != 0)
        fail_msg("%s", err);
    return t;
}
