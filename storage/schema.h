/*
 * schema.h - the tables, and how a file of any age comes to have them.
 */
#ifndef STORAGE_SCHEMA_H
#define STORAGE_SCHEMA_H

#include "db.h"

/* In the file's header: "duet". */
#define SCHEMA_APPLICATION_ID 0x64756574

/* What this version of duet writes into user_version. */
int schema_version(void);

/*
 * Makes sure that the file is ours, and brings it to schema_version() in one transaction, after
 * copying an older file aside. A file that is refused keeps every byte.
 */
int schema_prepare(struct store *s);

/* The first `version` steps on any connection: what a file of that age looks like. */
int schema_build(sqlite3 *sql, int version);

/* Deletes the copies that upgrades have left beside the file. */
void schema_forget_copies(struct store *s);

#endif
