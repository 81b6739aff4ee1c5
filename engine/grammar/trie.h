/* trie.h - the vocabulary as a tree of bytes, so that a grammar is asked only once about a prefix
 * that tokens share, and the classes of tokens made only of certain characters.
 *
 * Holds the tokens that are text; markers are not in it. The tree is immutable; classes are made
 * when they are first asked for, by one thread. */
#ifndef ENGINE_GRAMMAR_TRIE_H
#define ENGINE_GRAMMAR_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grammar/charset.h"

struct tokenizer;

/* Nodes lie in the order of a walk: a node's children follow it, up to `end`. */
struct trie_node {
    uint32_t end;
    uint32_t token; /* its tokens are those from here to the next node's */
    uint16_t depth; /* from 1 */
    uint8_t byte;
};

struct trie_tree {
    struct trie_node *node; /* [n + 1]: the last one only ends the tokens of the one before */
    size_t n;
    int32_t *token; /* [n_tokens] in the order of their bytes */
    size_t n_tokens;
    size_t depth; /* of the deepest node */
};

/* The tokens that are made of characters of one set only, whole characters each. */
struct trie_class {
    struct charset set;
    bool useful;      /* they are many; else there is nothing of what follows */
    uint8_t *n_chars; /* [n_vocab] their length, 255 for more; 0: others */
    int most_chars;
    uint32_t *all;          /* a bit for each of them */
    struct trie_tree other; /* the tokens that are not */
};

struct trie;

/* The tokenizer must outlive it. 0, or -1: out of memory. */
int trie_open(struct trie **out, const struct tokenizer *t);
void trie_close(struct trie *t);

const struct trie_tree *trie_all(const struct trie *t);

/* The class of a set; NULL where it is not useful or memory ran out. Good until trie_close. */
const struct trie_class *trie_class(struct trie *t, const struct charset *set);

/* Words of a mask with a bit for each token. */
static inline size_t trie_mask_words(int n_vocab)
{
    return ((size_t)n_vocab + 31) / 32;
}

#endif
