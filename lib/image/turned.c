#include "image/turned.h"

#include <string.h>

static size_t pixel_bytes(const struct turned *turned)
{
    return (size_t)turned->stored.channels * (size_t)(turned->stored.bits / 8);
}

void turned_info(const struct turned *turned, struct image_info *info)
{
    const struct image_info *stored = &turned->stored;
    if (turned->orientation < 5)
        return;
    info->width = stored->height;
    info->height = stored->width;
    info->full_width = stored->full_height;
    info->full_height = stored->full_width;
    info->pixel_width = stored->pixel_height;
    info->pixel_height = stored->pixel_width;
}

bool turned_by_rows(const struct turned *turned)
{
    return turned->orientation == 2;
}

static void mirror_row(uint8_t *row, size_t width, size_t size)
{
    uint8_t kept[4 * 64];
    for (size_t a = 0, b = width - 1; a < b; a++, b--) {
        memcpy(kept, row + a * size, size);
        memcpy(row + a * size, row + b * size, size);
        memcpy(row + b * size, kept, size);
    }
}

void turned_mirror(const struct turned *turned, int64_t rows, void *pixels)
{
    size_t size = pixel_bytes(turned), width = (size_t)turned->stored.width;
    for (int64_t y = 0; y < rows; y++)
        mirror_row((uint8_t *)pixels + (size_t)y * width * size, width, size);
}

/* The stored pixel that the first of a turned row is, and the way to the next one. */
struct walk {
    int64_t x, y, dx, dy;
};

static struct walk walk_of_row(const struct turned *turned, int64_t row)
{
    int64_t right = turned->stored.width - 1, bottom = turned->stored.height - 1;
    switch (turned->orientation) {
    case 3: /* half a turn */
        return (struct walk){right, bottom - row, -1, 0};
    case 4: /* upside down */
        return (struct walk){0, bottom - row, 1, 0};
    case 5: /* rows and columns change places */
        return (struct walk){row, 0, 0, 1};
    case 6: /* a quarter turn clockwise */
        return (struct walk){row, bottom, 0, -1};
    case 7:
        return (struct walk){right - row, bottom, 0, -1};
    case 8: /* a quarter turn counterclockwise */
        return (struct walk){right - row, 0, 0, 1};
    default: /* 2, mirrored */
        return (struct walk){right, row, -1, 0};
    }
}

void turned_rows(const struct turned *turned, int64_t first, int64_t rows, void *to)
{
    const struct image_info *stored = &turned->stored;
    const uint8_t *pixels = turned->pixels.data;
    size_t size = pixel_bytes(turned);
    int64_t length = turned->orientation < 5 ? stored->width : stored->height;
    uint8_t *next = to;
    for (int64_t row = first; row < first + rows; row++) {
        struct walk at = walk_of_row(turned, row);
        for (int64_t i = 0; i < length; i++, next += size) {
            size_t index = (size_t)(at.y * stored->width + at.x);
            memcpy(next, pixels + index * size, size);
            at.x += at.dx;
            at.y += at.dy;
        }
    }
}
