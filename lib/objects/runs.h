/* The objects of a label image as runs of pixels: what is measured of an object then
 * costs its pixels, however large its box is. */
#ifndef OBJECTS_RUNS_H
#define OBJECTS_RUNS_H

#include <stddef.h>
#include <stdint.h>

#include "core/spill.h"

/* Pixels of a row that follow each other. */
struct run {
    uint32_t y, begin, end; /* row; columns begin to end - 1 */
};

struct boxes;

/* The runs, struct run, of all objects of `labels`, height x width, of which `boxes` were
 * made: object by object, each from above and from the left; box->first_run is set.  The
 * caller ends it with spill_free. */
int runs_of(struct spill *runs, struct boxes *boxes, const uint32_t *labels, size_t height,
            size_t width, struct err *err) MUST_CHECK;

#endif
