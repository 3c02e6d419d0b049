#include "core/half.h"

#include <string.h>

#include "core/target.h"

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Scaling by powers of two lets the float unit do the rounding and the
 * subnormals; branches would keep the loops below from being vectorized. */
static inline uint16_t to_half(float value)
{
    uint32_t bits = bits_of(value);
    uint32_t sign = (bits >> 16) & 0x8000;
    uint32_t magnitude = bits & 0x7fffffff;
    uint32_t odd = (magnitude >> 13) & 1;
    uint32_t normal = (magnitude + 0xfff + odd - (112u << 23)) >> 13;
    uint32_t subnormal = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
    uint32_t half = magnitude < (113u << 23) ? subnormal : normal;
    half = magnitude >= 0x477ff000 ? 0x7c00 : half; /* 65520 and more round to infinity */
    half = magnitude > 0x7f800000 ? 0x7e00 : half;
    return (uint16_t)(sign | half);
}

static inline float from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    uint32_t special = magnitude >= (31u << 23) ? 112u << 23 : 0;
    uint32_t normal = magnitude + (112u << 23) + special;
    uint32_t subnormal = bits_of(float_of(magnitude + (113u << 23)) - float_of(113u << 23));
    return float_of(sign | (magnitude < (1u << 23) ? subnormal : normal));
}

uint16_t half_from_float(float value)
{
    return to_half(value);
}

float half_to_float(uint16_t half)
{
    return from_half(half);
}

uint16_t bfloat_from_float(float value)
{
    uint32_t bits = bits_of(value);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float bfloat_to_float(uint16_t bfloat)
{
    return float_of((uint32_t)bfloat << 16);
}

CLONES(, void, half_from_floats, (uint16_t *restrict to, const float *restrict from, size_t n),
       (to, from, n))
{
    for (size_t i = 0; i < n; i++)
        to[i] = to_half(from[i]);
}

CLONES(, void, half_to_floats, (float *restrict to, const uint16_t *restrict from, size_t n),
       (to, from, n))
{
    for (size_t i = 0; i < n; i++)
        to[i] = from_half(from[i]);
}
