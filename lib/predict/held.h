/* Private to lib/predict: the tiles of one image that wait until enough of it is there, and the
 * image that they make. */
#ifndef PREDICT_HELD_H
#define PREDICT_HELD_H

#include "predict/windows.h"
#include "stream/sample.h"

#define HELD_MOST  (128 << 20) /* bytes of tiles, after which it must do */
#define HELD_TILES 65536

struct held_tile {
    struct sample *sample; /* taken over from the stream */
    struct inference_input input;
    struct windows_part place; /* in the image; may reach past it */
};

/* Zero-initialised it is of no image. */
struct held {
    struct held_tile *tiles; /* that wait, in the order of their rows */
    size_t count;
    struct tile_meta meta;       /* of the first tile of all */
    struct inference_input like; /* of which all others are */
    int64_t taken, row, bottom;  /* tiles so far; first row of the last; rows they have reached */
    size_t bytes;                /* of the tiles so far */
    bool is_cut_so;              /* they are the windows of the image as it is */
    bool is_joined;              /* `image` is there, and grows */
    struct windows_image image;
};

/* Whether the sample is the next tile of the image, or the first where none is: one that stands in
 * its image as it is, alone or beside its mask. */
bool held_takes(const struct held *held, const struct tile_meta *meta,
                const struct inference_input *input);

/* Takes the sample over, also on failure. */
int held_add(struct held *held, struct sample *sample, const struct tile_meta *meta,
             const struct inference_input *input, struct err *err) MUST_CHECK;

/* All tiles of the image are there; or as many as may wait. */
bool held_is_whole(const struct held *held);
bool held_is_full(const struct held *held);

/* The rows above this one are there, all of them. */
int64_t held_known(const struct held *held);

/* Makes the image of the tiles, to which later ones are added.  1 when they do not cover what they
 * say they do. */
int held_join(struct held *held, struct err *err) MUST_CHECK;

/* Forgets the image's pixels; tiles are not added to them any more. */
void held_part(struct held *held);

/* Forgets the first n tiles, whose samples are somebody else's by now. */
void held_shift(struct held *held, size_t n);

/* Forgets all: the next tile is another image's. */
void held_clear(struct held *held);

/* With the samples that wait yet. */
void held_free(struct held *held);

#endif
