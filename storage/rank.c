/*
 * rank.c - relevance: BM25 without the rarity of words.
 *
 * Every hit holds every word of the query, so that their rarity hardly sets two hits apart, while
 * the index's own bm25() visits all messages with a word to learn it. What is left is how often
 * the words are there, in how long a message. See "The Probabilistic Relevance Framework: BM25 and
 * Beyond", Robertson and Zaragoza, 2009, and "Custom Auxiliary Functions", sqlite.org/fts5.html.
 */
#include "rank.h"

#define SATURATION       1.2  /* k1 */
#define LENGTH_MATTERS   0.75 /* b */
#define REASONING_COLUMN 2
#define REASONING_WEIGHT 0.5

static void relevance(const Fts5ExtensionApi *fts, Fts5Context *row, sqlite3_context *out,
                      int n_arguments, sqlite3_value **arguments)
{
    (void)n_arguments;
    (void)arguments;
    sqlite3_int64 rows = 0, all_sizes = 0;
    int size = 0, found = 0;
    int code = fts->xRowCount(row, &rows);
    if (code == SQLITE_OK)
        code = fts->xColumnTotalSize(row, -1, &all_sizes);
    if (code == SQLITE_OK)
        code = fts->xColumnSize(row, -1, &size);
    if (code == SQLITE_OK)
        code = fts->xInstCount(row, &found);
    double often = 0;
    for (int i = 0; i < found && code == SQLITE_OK; i++) {
        int phrase, column, offset;
        code = fts->xInst(row, i, &phrase, &column, &offset);
        often += column == REASONING_COLUMN ? REASONING_WEIGHT : 1;
    }
    if (code != SQLITE_OK) {
        sqlite3_result_error_code(out, code);
        return;
    }
    double length = all_sizes > 0 ? (double)size * (double)rows / (double)all_sizes : 1;
    double norm = SATURATION * (1 - LENGTH_MATTERS + LENGTH_MATTERS * length);
    sqlite3_result_double(out, often / (often + norm));
}

int rank_register(struct store *s)
{
    fts5_api *api = NULL;
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(s->sql, "SELECT fts5(?)", -1, &st, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_pointer(st, 1, &api, "fts5_api_ptr", NULL);
    if (code == SQLITE_OK)
        sqlite3_step(st);
    sqlite3_finalize(st);
    if (code == SQLITE_OK)
        code = api ? api->xCreateFunction(api, "relevance", NULL, relevance, NULL) : SQLITE_ERROR;
    return code == SQLITE_OK ? STORE_OK : db_failed(s, code);
}
