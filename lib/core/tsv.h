/* Small tables as text: cells between tabs, a header line first, lines that begin
 * with '#' are remarks. */
#ifndef CORE_TSV_H
#define CORE_TSV_H

#include <stddef.h>

#include "core/err.h"

/* Cells are kept row after row, the header's names apart; all text is owned. */
struct tsv {
    char *text; /* of the file; the rest points into it */
    char **remarks;
    size_t remark_count;
    char **names;
    size_t columns;
    char **cells; /* rows x columns */
    size_t rows;
};

/* Reads a file, which core/limits.h bounds.  Rows with another number of cells than
 * the header are STATUS_DATA; a file of remarks alone has no columns.  The caller
 * frees it. */
int tsv_read(struct tsv *tsv, const char *path, struct err *err) MUST_CHECK;
void tsv_free(struct tsv *tsv);

/* The column of that name, or tsv->columns when there is none. */
size_t tsv_column(const struct tsv *tsv, const char *name);

/* Borrowed. */
const char *tsv_cell(const struct tsv *tsv, size_t row, size_t column);

/* What follows the name and a tab in the remark "# NAME<tab>VALUE"; NULL when there
 * is none.  Borrowed. */
const char *tsv_remark(const struct tsv *tsv, const char *name);

/* Writes a table of numbers, rows x columns, as core/table.h does. */
int tsv_write(const char *path, const char *const *names, size_t columns, const double *values,
              size_t rows, struct err *err) MUST_CHECK;

#endif
