/* hf_json.h - the JSON and text files of a model's folder, and looking into them. */
#ifndef ENGINE_FILE_HF_JSON_H
#define ENGINE_FILE_HF_JSON_H

#include <jansson.h>

#include "file/hf.h"
#include "file/safemap.h"

/* The bytes of a file of the folder, for safemap_close. False: it is not there, or with *failed it
 * cannot be read (and err is set). */
bool hf_text_read(const struct hf_reader *r, const char *file, struct safemap *map, bool *failed);

/* A file of the folder as an object, for json_decref. NULL: it is not there (and err is not set),
 * or with *failed it cannot be used (and err is). */
json_t *hf_json_read(const struct hf_reader *r, const char *file, bool *failed);

/* The same for one that must be there. */
json_t *hf_json_need(const struct hf_reader *r, const char *file);

/* An object of a file, for reading numbers from it. */
struct hf_json {
    const struct hf_reader *reader;
    const char *file;
    const json_t *object;
};

/* A whole number within 1..max, or `otherwise` where there is none (0: it must be there). */
int hf_json_int(const struct hf_json *in, const char *key, int max, int otherwise, int *out);

/* A number, or `otherwise` (NAN: it must be there). */
int hf_json_real(const struct hf_json *in, const char *key, double otherwise, double *out);

#endif
