/* Cells as three classes: 0 what is none, 1 their rims, 2 their insides, which do not touch where
 * cells do; and back. */
#ifndef OBJECTS_RIMS_H
#define OBJECTS_RIMS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define RIMS_WIDEST 15 /* pixels */

/* Labels of cells become the classes, in place.  A rim is what lies at most `wide` pixels from
 * a pixel of another label or none; the image's border is no rim. */
int rims_of_labels(uint32_t *labels, size_t height, size_t width, int wide,
                   struct err *err) MUST_CHECK;

/* Classes become cells, in place: connected insides, of 2 or more, and the rims that are nearest to
 * each along rims; rims that touch no inside are cells of their own. */
int rims_to_labels(uint32_t *classes, size_t height, size_t width, int connectivity,
                   uint32_t *count, struct err *err) MUST_CHECK;

#endif
