/* The images of a tensor stream, put together of their tiles. */
#ifndef TILES_PICTURE_STREAM_H
#define TILES_PICTURE_STREAM_H

#include "tiles/assembly.h"

struct picture_stream_rules {
    const char *values; /* what tiles have: "prob", or "logits"; those with flows that are
                           wanted "prob" */
    size_t planes;      /* that "logits" must have; 0: any number */
    bool by_tile;       /* each tile is an image of its own */
    bool as_tiled;      /* images in the scale of their tiles, not of their source */
    bool only_one;      /* see struct assembly */
    float threshold;
    unsigned wanted; /* 1 << PICTURE_PREDICTION | ...; masks are required for the truth */
    void (*progress)(const char *unit, uint64_t done, uint64_t total);
};

/* Gives each image of the stream, "-" is standard input, to `take`.  Its name is that of
 * the source, or the key of a sample that does not tell one. */
int picture_stream_walk(const char *path, const struct picture_stream_rules *rules,
                        assembly_take *take, void *user, struct err *err) MUST_CHECK;

#endif
