#include "image/png_filter.h"

#include <stdlib.h>
#include <string.h>

#include "core/target.h"

static unsigned magnitude(uint8_t byte)
{
    return (unsigned)abs((int8_t)byte);
}

CLONES(static, uint64_t, cost_of_none, (const uint8_t *row, size_t size), (row, size))
{
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += magnitude(row[i]);
    return sum;
}

CLONES(static, uint64_t, cost_of_difference,
       (const uint8_t *row, const uint8_t *other, size_t size), (row, other, size))
{
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += magnitude((uint8_t)(row[i] - other[i]));
    return sum;
}

CLONES(static, void, subtract,
       (const uint8_t *row, const uint8_t *other, size_t size, uint8_t *restrict to),
       (row, other, size, to))
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(row[i] - other[i]);
}

void png_filter_row(const uint8_t *row, const uint8_t *above, size_t size, size_t pixel,
                    uint8_t *to)
{
    uint64_t none = cost_of_none(row, size);
    uint64_t sub = cost_of_none(row, pixel) + cost_of_difference(row + pixel, row, size - pixel);
    uint64_t up = cost_of_difference(row, above, size);
    to[0] = none <= sub && none <= up ? 0 : sub <= up ? 1 : 2;
    memcpy(to + 1, row, to[0] == 0 ? size : pixel);
    if (to[0] == 1)
        subtract(row + pixel, row, size - pixel, to + 1 + pixel);
    if (to[0] == 2)
        subtract(row, above, size, to + 1);
}
