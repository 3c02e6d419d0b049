/* Smooth noise between the points of an array.  Private to lib/pixels: for what synth draws. */
#ifndef PIXELS_NOISE_H
#define PIXELS_NOISE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* At (x, y) of side x side points, a power of 2, that wrap around. */
static inline float noise_at(const float *noise, size_t side, double x, double y)
{
    double fx = floor(x), fy = floor(y);
    size_t mask = side - 1, x0 = (size_t)(int64_t)fx & mask, y0 = (size_t)(int64_t)fy & mask;
    size_t x1 = (x0 + 1) & mask, y1 = (y0 + 1) & mask;
    float u = (float)(x - fx), v = (float)(y - fy);
    u *= u * (3 - 2 * u);
    v *= v * (3 - 2 * v);
    float upper = noise[y0 * side + x0] * (1 - u) + noise[y0 * side + x1] * u;
    float lower = noise[y1 * side + x0] * (1 - u) + noise[y1 * side + x1] * u;
    return upper * (1 - v) + lower * v;
}

#endif
