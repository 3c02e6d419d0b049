#include "ops/skeleton.h"

#include <math.h>
#include <stdbool.h>

/* The eight neighbours as bits, clockwise from the one above. */
static unsigned around(const uint8_t *p, size_t width)
{
    return (unsigned)((p[-(ptrdiff_t)width] != 0) | (p[-(ptrdiff_t)width + 1] != 0) << 1 |
                      (p[1] != 0) << 2 | (p[width + 1] != 0) << 3 | (p[width] != 0) << 4 |
                      (p[width - 1] != 0) << 5 | (p[-1] != 0) << 6 |
                      (p[-(ptrdiff_t)width - 1] != 0) << 7);
}

/* Pairs of neighbours of which one is set, beginning with that pair of bits. */
static int pairs(unsigned ring, unsigned first)
{
    unsigned rotated = (ring >> 1 | ring << 7) & 0xff;
    return __builtin_popcount((ring | rotated) & first);
}

/* How many pieces the neighbours are. */
static int pieces(unsigned ring)
{
    unsigned next = (ring >> 1 | ring << 7) & 0xff, second = (ring >> 2 | ring << 6) & 0xff;
    return __builtin_popcount(~ring & (next | second) & 0x55);
}

/* Whether a pixel goes in the first (0) or second (1) half of a pass. */
static bool goes(unsigned ring, int half)
{
    int some = pairs(ring, 0x55), others = pairs(ring, 0xaa);
    int least = some < others ? some : others;
    if (pieces(ring) != 1 || least < 2 || least > 3)
        return false;
    unsigned turned = half == 0 ? ring : (ring >> 4 | ring << 4) & 0xff;
    return !((turned & 3 || !(turned & 8)) && turned & 4);
}

static size_t half_pass(uint8_t *mask, size_t height, size_t width, uint8_t *work, int half)
{
    size_t removed = 0;
    for (size_t y = 1; y + 1 < height; y++)
        for (size_t x = 1; x + 1 < width; x++) {
            size_t i = y * width + x;
            work[i] = mask[i] && goes(around(mask + i, width), half);
            removed += work[i];
        }
    for (size_t y = 1; removed && y + 1 < height; y++)
        for (size_t x = 1; x + 1 < width; x++)
            mask[y * width + x] &= (uint8_t)!work[y * width + x];
    return removed;
}

void skeleton_thin(uint8_t *mask, size_t height, size_t width, uint8_t *work)
{
    size_t removed;
    do {
        removed = half_pass(mask, height, width, work, 0);
        removed += half_pass(mask, height, width, work, 1);
    } while (removed);
}

/* Neighbours that a step leads to: a diagonal one only where no straight detour
 * of two steps does. */
static unsigned steps_from(unsigned ring)
{
    unsigned straight = ring & 0x55,
             beside = (straight << 1 | straight >> 1 | straight << 7) & 0xaa;
    return straight | (ring & 0xaa & ~beside);
}

static void count_pixel(uint8_t *pixel, size_t width, struct skeleton *s)
{
    unsigned steps = steps_from(around(pixel, width));
    int count = __builtin_popcount(steps);
    s->length += __builtin_popcount(steps & 0x55) / 2.0;
    s->length += __builtin_popcount(steps & 0xaa) * sqrt(2) / 2.0;
    s->ends += count == 1;
    *pixel = count == 1 ? 2 : count >= 3 ? 3 : 1;
}

/* Branch points that touch are one: counts those that no branch point precedes. */
static bool begins_group(const uint8_t *p, size_t width)
{
    return *p == 3 && p[-1] != 3 && *(p - width) != 3 && *(p - width - 1) != 3 &&
           *(p - width + 1) != 3;
}

void skeleton_measure(uint8_t *mask, size_t height, size_t width, struct skeleton *skeleton)
{
    *skeleton = (struct skeleton){0};
    for (size_t y = 1; y + 1 < height; y++)
        for (size_t x = 1; x + 1 < width; x++)
            if (mask[y * width + x])
                count_pixel(mask + y * width + x, width, skeleton);
    for (size_t y = 1; y + 1 < height; y++)
        for (size_t x = 1; x + 1 < width; x++)
            skeleton->points += begins_group(mask + y * width + x, width);
}
