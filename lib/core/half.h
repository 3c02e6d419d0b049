/* The two 16-bit floating-point formats, to and from float, rounding to nearest
 * even as IEEE 754 says.  Infinities and NaNs are kept. */
#ifndef CORE_HALF_H
#define CORE_HALF_H

#include <stddef.h>
#include <stdint.h>

uint16_t half_from_float(float value);
float half_to_float(uint16_t half);
uint16_t bfloat_from_float(float value);
float bfloat_to_float(uint16_t bfloat);

/* The same for n values; `to` and `from` may not overlap. */
void half_from_floats(uint16_t *to, const float *from, size_t n);
void half_to_floats(float *to, const uint16_t *from, size_t n);

#endif
