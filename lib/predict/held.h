/* Private to lib/predict: the tiles of one image, held until all are there. */
#ifndef PREDICT_HELD_H
#define PREDICT_HELD_H

#include "predict/windows.h"
#include "stream/sample.h"

#define HELD_MOST  (128 << 20) /* bytes of images */
#define HELD_TILES 65536

struct held_tile {
    struct sample *sample; /* taken over from the stream */
    struct inference_input input;
    struct windows_part place; /* in the image; may reach past it */
};

struct held {
    struct held_tile *tiles;
    size_t count;
    struct tile_meta meta; /* of the first */
    size_t bytes;
};

/* Whether the sample is the next tile of the image that is held, or the first where none is: one
 * that stands in its image as it is, alone or beside its mask. */
bool held_takes(const struct held *held, const struct tile_meta *meta,
                const struct inference_input *input);

/* Takes the sample over, also on failure. */
int held_add(struct held *held, struct sample *sample, const struct tile_meta *meta,
             const struct inference_input *input, struct err *err) MUST_CHECK;

bool held_is_whole(const struct held *held);

/* The image. */
int held_join(const struct held *held, struct array *pixels, struct err *err) MUST_CHECK;

/* Whether the tiles are these windows. */
bool held_is_cut_so(const struct held *held, const struct grid *windows);

/* Forgets the samples, which are somebody else's by now. */
void held_clear(struct held *held);
void held_free(struct held *held);

#endif
