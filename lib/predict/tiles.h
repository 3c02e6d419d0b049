/* The tiles of a stream through a network, in batches of neighbors of the same size. */
#ifndef PREDICT_TILES_H
#define PREDICT_TILES_H

#include "predict/inference.h"
#include "stream/relay.h"

#define TILES_MAX_BATCH 1024

struct tiles_options {
    int device;
    size_t batch; /* 1 to TILES_MAX_BATCH */
    bool keep_image;
    bool ranges;  /* the network sees ranges, see sample_scale */
    bool rescale; /* an image is shown through windows of its own (whole.h), at the size at which
                     the network is surest (rescale.h), for which its tiles are held until all are
                     there, or 128 MB; of networks with flows */
    struct inference_options what;
    void (*progress)(const char *unit, uint64_t done, uint64_t total);
};

/* Puts every sample with what was asked for, and without its image unless that is kept.
 * Returns 0 also where the relay's reader or writer failed: relay_finish says so. */
int tiles_predict(struct model *model, const struct tiles_options *options, struct relay *relay,
                  struct err *err) MUST_CHECK;

#endif
