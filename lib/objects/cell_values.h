/* The quantities of an image's cells, kept until outlines are written. */
#ifndef OBJECTS_CELL_VALUES_H
#define OBJECTS_CELL_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/growing.h"
#include "objects/quantity.h"

#define CELL_VALUES_MAX  32
#define CELL_VALUES_NAME 48

/* Zero-initialized it is empty; the pixel's size is set by its owner. */
struct cell_values {
    double pixel_height, pixel_width; /* micrometers, 0 when unknown */
    struct quantity names[CELL_VALUES_MAX];
    int count; /* quantities of a cell */
    struct growing cells, values;
    bool sorted;
};

/* A cell; all of an image have the same quantities. */
int cell_values_add(struct cell_values *values, uint32_t label, const struct quantity *quantities,
                    int count, struct err *err) MUST_CHECK;
void cell_values_free(struct cell_values *values);

/* How many columns of the table of cells there are: the quantities in pixels, then those in
 * micrometers; and for a label a column's value, NaN when it is not known, and its name,
 * CELL_VALUES_NAME bytes. */
int cell_values_count(const struct cell_values *values);
double cell_values_get(struct cell_values *values, uint32_t label, int column, char *name);

#endif
