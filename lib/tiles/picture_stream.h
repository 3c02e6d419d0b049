/* The images of a tensor stream, put together of their tiles. */
#ifndef TILES_PICTURE_STREAM_H
#define TILES_PICTURE_STREAM_H

#include "tiles/gather.h"
#include "tiles/picture.h"

struct picture_stream_options {
    const char *values; /* what tiles have: "prob", or "logits"; those with flows that are
                           wanted "prob" */
    size_t planes;      /* that "logits" must have; 0: any number */
    struct gather_options gather;
    float threshold;
    unsigned wanted; /* 1 << PICTURE_PREDICTION | ...; masks are required for the truth */
    void (*warn)(const struct err *err); /* of an image that is left out */
    void (*progress)(const char *unit, uint64_t done, uint64_t total);
};

/* Takes a whole image, which it may move out and zero. */
typedef int picture_take(void *user, struct picture *picture, struct err *err);

/* Gives each image of the stream, "-" is standard input, to `take`.  Returns as
 * gather_stream does. */
int picture_stream_walk(const char *path, const struct picture_stream_options *options,
                        picture_take *take, void *user, struct err *err) MUST_CHECK;

#endif
