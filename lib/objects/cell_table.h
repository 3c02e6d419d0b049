/* The table of cells: a line a cell, its quantities in pixels, then those that have a
 * size in micrometers. */
#ifndef OBJECTS_CELL_TABLE_H
#define OBJECTS_CELL_TABLE_H

#include <stdint.h>

#include "core/err.h"
#include "objects/quantity.h"

struct cell_table;

/* Creates the file as core/table.h does. */
int cell_table_open(struct cell_table **table, const char *path, struct err *err) MUST_CHECK;

/* The header: the names of the quantities.  Does nothing when there is one. */
int cell_table_head(struct cell_table *table, const struct quantity *quantities, int count,
                    struct err *err) MUST_CHECK;

struct cell_line {
    const char *image; /* name */
    uint32_t id, class;
    double pixel_height, pixel_width; /* micrometers, 0 when unknown */
};

/* A cell; quantities as in the header. */
int cell_table_put(struct cell_table *table, const struct cell_line *line,
                   const struct quantity *quantities, int count, struct err *err) MUST_CHECK;

/* Both free the table, also when they fail; cell_table_abort(NULL) does nothing. */
int cell_table_commit(struct cell_table *table, struct err *err) MUST_CHECK;
void cell_table_abort(struct cell_table *table);

#endif
