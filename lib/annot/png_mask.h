/* Masks inside annotations. */
#ifndef ANNOT_PNG_MASK_H
#define ANNOT_PNG_MASK_H

#include "annot/build.h"
#include "annot/scan.h"

/* Adds a PNG image, as a text in base64, to the object: what is not 0, with its first pixel
 * at (x, y). */
int png_mask(struct scan *scan, struct build *build, int64_t x, int64_t y,
             struct err *err) MUST_CHECK;

#endif
