/* entry.h - one key, or one tensor's description, of a GGUF header; see gguf.h for the layout. */
#ifndef ENGINE_FILE_ENTRY_H
#define ENGINE_FILE_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "file/cursor.h"
#include "file/gguf.h"

/* Bytes of the shortest: a name of one byte, and a value of one byte or a single dimension. */
enum { ENTRY_KEY_MIN = 8 + 1 + 4 + 1, ENTRY_TENSOR_MIN = 8 + 1 + 4 + 8 + 4 + 8 };

/* 0, or -1 with the cursor's err set. The cursor's place must name the entry's kind and index. */
int entry_take_key(struct cursor *c, struct gguf_key *key);

/* `end` is the padded end of the tensors before, as an offset into the data, where this one must
 * start; it moves to this one's padded end. t->data is not set. */
int entry_take_tensor(struct cursor *c, struct gguf_tensor *t, size_t alignment, uint64_t *end);

/* n rounded up to a multiple of the alignment. */
size_t entry_padded(size_t n, size_t alignment);

#endif
