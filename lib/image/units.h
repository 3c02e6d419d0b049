/* Private to lib/image: units of length by the names that programs give them. */
#ifndef IMAGE_UNITS_H
#define IMAGE_UNITS_H

#include <stddef.h>

/* Micrometers in a unit; 0 when the name is none of a length ("pixel", "").  The name is UTF-8 or
 * Latin-1, or has ImageJ's escape for the micro sign; case and spaces about it do not matter
 * where they do not make another unit (Mm is none of mm). */
double units_micrometers(const char *name, size_t length);

/* A size in micrometers that can be one of a pixel's, else 0. */
double units_sane(double micrometers);

#endif
