/* A whole image as it is predicted, put together of its tiles: probabilities, logits,
 * flows and uncertainties are averaged where tiles overlap, masks and images are pasted
 * (tiles/mosaic.h).  Pixels that no tile covers are 0, background, in all.
 *
 * Tiles of a small image may come in any order.  When more than ASSEMBLY_BAND bytes of rows
 * are needed, those above the latest tile are finished and go into arrays that may lie in a
 * file (core/spill.h); then tiles must come in the order of their rows. */
#ifndef TILES_ASSEMBLY_H
#define TILES_ASSEMBLY_H

#include "tiles/mosaic.h"
#include "tiles/picture.h"

#define ASSEMBLY_BAND ((size_t)256 << 20)

struct assembly_options {
    size_t width, height;
    size_t planes;        /* classes of the probabilities, 1 (the foreground alone) to 255 */
    bool has_uncertainty; /* of the tiles' own */
    bool has_flows;
    float threshold;       /* 0: the most probable class */
    unsigned wanted;       /* 1 << PICTURE_PREDICTION | ... */
    size_t band;           /* bytes of rows; 0: ASSEMBLY_BAND */
    enum blend_mode blend; /* of what overlapping tiles say; 0: BLEND_MEAN */
};

/* A tile with its corner at (x, y), of height x width pixels there; arrays of another
 * size are brought to it first. */
struct assembly_tile {
    const struct array *values;      /* K x h x w, float16 or float32 */
    const struct array *uncertainty; /* h x w, or NULL */
    const struct array *flows;       /* 2 x h x w, float16 or float32, or NULL */
    const struct array *truth;       /* h x w of whole numbers, or NULL */
    const struct array *image;       /* h x w x C, or NULL */
    int64_t x, y, width, height;
};

enum assembly_layer {
    LAYER_VALUES,
    LAYER_UNCERTAINTY,
    LAYER_FLOWS,
    LAYER_TRUTH,
    LAYER_IMAGE,
    LAYERS,
};

struct assembly {
    struct assembly_options options;
    struct mosaic layers[LAYERS];
    bool has[LAYERS];       /* the layer is there; that of the image from its first tile on */
    uint64_t allowed;       /* pixels that the tiles so far vouch for, by the user; 0: any */
    int64_t next_row;       /* the first that is not finished */
    uint8_t *classes;       /* a row of them */
    struct picture picture; /* finished rows; name and size of pixels are the user's */
};

/* The caller ends it with assembly_free, also after a failure. */
int assembly_new(struct assembly *assembly, const struct assembly_options *options,
                 struct err *err) MUST_CHECK;
void assembly_free(struct assembly *assembly);

/* STATUS_DATA for tiles that differ in what they have, or whose arrays differ in size. */
int assembly_add(struct assembly *assembly, const struct assembly_tile *tile,
                 struct err *err) MUST_CHECK;

/* Finishes all rows; *picture is the caller's, to be freed. */
int assembly_finish(struct assembly *assembly, struct picture *picture, struct err *err) MUST_CHECK;

#endif
