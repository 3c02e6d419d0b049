/* Private to lib/image: what the colors of a palette mean. */
#ifndef IMAGE_PALETTE_H
#define IMAGE_PALETTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PALETTE_MAX 256

struct palette {
    size_t count;
    uint8_t colors[PALETTE_MAX][3];
    bool transparent[PALETTE_MAX]; /* wholly */
};

enum palette_kind {
    PALETTE_COLORS,
    PALETTE_GRAY,    /* every color is a gray */
    PALETTE_DISPLAY, /* a table that shows intensities in colors: the indices are the image */
};

/* A table for display, as ImageJ and microscopes have them ("Fire", "Green", a rainbow),
 * goes over 256 entries in small steps; the colors of a quantized picture jump. */
enum palette_kind palette_kind(const struct palette *palette);

/* Whether each of its colors is black or white, and both are there. */
bool palette_is_black_and_white(const struct palette *palette);

#endif
