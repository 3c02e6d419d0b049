#include "tiles/maps.h"

#include <string.h>

#include "tiles/blend.h"

void maps_labels(const float *row, size_t planes, size_t width, float threshold, uint8_t *labels)
{
    blend_labels(row, planes, width, threshold, labels);
    for (size_t x = 0; x < width && planes <= 2; x++)
        labels[x] = labels[x] ? 255 : 0;
}

void maps_probability(const float *row, size_t planes, size_t width, int class, float *to)
{
    if (class >= 0 || planes <= 2) {
        memmove(to, row + (class >= 0 ? (size_t) class : planes - 1) * width, width * sizeof *to);
        return;
    }
    memmove(to, row + width, width * sizeof *to);
    for (size_t k = 2; k < planes; k++)
        for (size_t x = 0; x < width; x++)
            to[x] += row[k * width + x];
}

void maps_to_16_bits(const float *from, uint16_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i] >= 1 ? 65535 : from[i] > 0 ? (uint16_t)(from[i] * 65535 + 0.5f) : 0;
}

void maps_interleave(const float *from, float *to, size_t planes, size_t width)
{
    for (size_t k = 0; k < planes; k++)
        for (size_t x = 0; x < width; x++)
            to[x * planes + k] = from[k * width + x];
}

/* Labels that are not 0 become `unit`; the largest that there was. */
#define DEFINE_UNIT(name, type)                                                                    \
    static uint32_t name(type *labels, type unit, size_t n)                                        \
    {                                                                                              \
        uint32_t largest = 0;                                                                      \
        for (size_t i = 0; i < n; i++) {                                                           \
            largest = labels[i] > largest ? labels[i] : largest;                                   \
            labels[i] = labels[i] ? unit : 0;                                                      \
        }                                                                                          \
        return largest;                                                                            \
    }
DEFINE_UNIT(unit_of_u8, uint8_t)
DEFINE_UNIT(unit_of_u16, uint16_t)

int maps_to_unit(void *labels, enum dtype dtype, int64_t unit, size_t n, struct err *err)
{
    uint32_t largest = dtype == DTYPE_U8 ? unit_of_u8(labels, (uint8_t)unit, n)
                                         : unit_of_u16(labels, (uint16_t)unit, n);
    return largest <= 1
               ? 0
               : err_set(err, STATUS_DATA, "a mask in black and white with label %u", largest);
}
