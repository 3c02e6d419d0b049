/* Private to lib/predict: the tiles of one image, held until all are there. */
#ifndef PREDICT_HELD_H
#define PREDICT_HELD_H

#include "predict/rescale.h"
#include "stream/sample.h"

#define HELD_MOST  (128 << 20) /* bytes of images */
#define HELD_TILES 65536

struct held {
    struct sample **samples; /* taken over from the stream */
    struct rescale_image image;
    struct tile_meta meta; /* of the first */
    size_t bytes;
};

/* Whether the sample is the next tile of the image that is held, or the first where none is: one
 * that could be shown at another size, as it stands in its image, alone or beside its mask. */
bool held_takes(const struct held *held, const struct tile_meta *meta, const struct array *image);

/* Takes the sample over, also on failure. */
int held_add(struct held *held, struct sample *sample, const struct tile_meta *meta,
             const struct inference_input *input, struct err *err) MUST_CHECK;

bool held_is_whole(const struct held *held);

/* Forgets the samples, which are somebody else's by now, and what was computed and not taken. */
void held_clear(struct held *held);
void held_free(struct held *held);

#endif
