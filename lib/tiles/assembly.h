/* Images whose tiles come one after the other: each is put together and given away
 * when the first tile of another one comes. */
#ifndef TILES_ASSEMBLY_H
#define TILES_ASSEMBLY_H

#include "core/names.h"
#include "tiles/canvas.h"

struct assembly_tile {
    const char *name; /* of the image */
    bool alone;       /* it is an image of its own, of the size of its place */
    size_t image_width, image_height;
    double pixel_width, pixel_height; /* micrometres, 0 when unknown */
    struct canvas_tile tile;
};

/* Takes an image, which it may move out and zero. */
typedef int assembly_take(void *user, struct picture *image, struct err *err);

struct assembly {
    unsigned wanted; /* 1 << PICTURE_PREDICTION | ... */
    float threshold;
    bool only_one; /* a second image is STATUS_USAGE, before the first is given away */
    assembly_take *take;
    void *user;
    /* The rest is its own, zero at first. */
    bool open;
    char name[1100];
    struct canvas canvas;
    struct names finished;
};

/* STATUS_DATA when a tile's image was given away already. */
int assembly_add(struct assembly *assembly, const struct assembly_tile *tile,
                 struct err *err) MUST_CHECK;

/* Gives the last image away. */
int assembly_finish(struct assembly *assembly, struct err *err) MUST_CHECK;
void assembly_free(struct assembly *assembly);

#endif
