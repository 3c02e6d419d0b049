/* The range of a whole image's values, of all channels together. */
#ifndef PIXELS_RANGE_H
#define PIXELS_RANGE_H

#include "image/rows.h"

/* Reads the image, and, if it is large (rows_scan), its file at `path` once or twice more.  *low
 * and *high: the values below and above which `percentile` percent of all are; 0: the least and
 * the largest.  1, with *err set, when no value is finite. */
int range_of_image(const char *path, struct rows *image, double percentile, double *low,
                   double *high, struct err *err) MUST_CHECK;

#endif
