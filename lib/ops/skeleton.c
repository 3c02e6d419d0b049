#include "ops/skeleton.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>

/* The eight neighbours as bits, clockwise from the one above. */
static inline unsigned around(const uint8_t *p, size_t width)
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

/* What goes() says of every ring. */
static bool removable[2][256];
static pthread_once_t removable_once = PTHREAD_ONCE_INIT;

static void fill_removable(void)
{
    for (unsigned ring = 0; ring < 256; ring++)
        for (int half = 0; half < 2; half++)
            removable[half][ring] = goes(ring, half);
}

/* Of the `count` pixels in the list: marks those that go, then takes them out. */
static size_t half_pass(uint8_t *mask, size_t width, uint32_t *list, size_t count, int half)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (removable[half][around(mask + list[i], width)])
            mask[list[i]] = 2; /* still there for its neighbours */
    for (size_t i = 0; i < count; i++) {
        if (mask[list[i]] == 2)
            mask[list[i]] = 0;
        else
            list[kept++] = list[i];
    }
    return kept;
}

void skeleton_thin(uint8_t *mask, size_t height, size_t width, uint32_t *work)
{
    size_t count = 0, before;
    pthread_once(&removable_once, fill_removable);
    for (size_t i = 0; i < height * width; i++)
        if (mask[i])
            work[count++] = (uint32_t)i;
    do {
        before = count;
        count = half_pass(mask, width, work, count, 0);
        count = half_pass(mask, width, work, count, 1);
    } while (count < before);
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
