#include "core/peak.h"

#include <math.h>
#include <string.h>

#include "core/target.h"

/* Compiled so that gcc leaves copy and search in one loop (Makefile). */

#define FLOAT_MAGNITUDE 0x7fffffff
#define FLOAT_INFINITY  0x7f800000

CLONES(static, uint16_t, copy_u16, (const uint16_t *restrict from, size_t n, uint16_t *restrict to),
       (from, n, to))
{
    uint16_t most = 0;
    for (size_t i = 0; i < n; i++) {
        most = from[i] > most ? from[i] : most;
        to[i] = from[i];
    }
    return most;
}

/* Magnitudes of floats are in the order of their bits; NaN come after infinity. */
CLONES(static, int32_t, copy_f32, (const int32_t *restrict from, size_t n, int32_t *restrict to),
       (from, n, to))
{
    int32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t bits = from[i] & FLOAT_MAGNITUDE;
        most = bits > most ? bits : most;
        to[i] = from[i];
    }
    return most;
}

double peak_copy(enum dtype dtype, const void *from, size_t n, void *to)
{
    if (dtype == DTYPE_U16)
        return copy_u16(from, n, to);
    int32_t bits = copy_f32(from, n, to);
    float magnitude;
    memcpy(&magnitude, &bits, sizeof magnitude);
    return bits >= FLOAT_INFINITY ? (double)INFINITY : (double)magnitude;
}
