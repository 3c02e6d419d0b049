/* A table that is written: cells between tabs, or between commas, as spreadsheets take it
 * (RFC 4180), where the file's name ends in .csv or the caller says so.  There cells with commas
 * or quotes are quoted, and "nan", but in the first column, is an empty cell. */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "core/err.h"

struct table;

/* Creates the file, "-" is standard output; whole or not at all. */
int table_open(struct table **table, const char *path, bool csv, struct err *err) MUST_CHECK;

/* Adds text between tabs and line ends, in pieces of any length. */
int table_write(struct table *table, const char *text, size_t length, struct err *err) MUST_CHECK;

/* Both free the table, also when they fail; table_abort(NULL) does nothing. */
int table_commit(struct table *table, struct err *err) MUST_CHECK;
void table_abort(struct table *table);

/* A table that is printed to standard output, where `to` goes between tabs; with commas it is
 * there at the end. */
struct table_print {
    FILE *to;
    char *text; /* of one with commas, else NULL */
    size_t size;
};
int table_print_begin(struct table_print *print, bool csv, struct err *err) MUST_CHECK;
int table_print_end(struct table_print *print, struct err *err) MUST_CHECK;

#endif
