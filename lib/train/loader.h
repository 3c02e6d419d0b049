/* Batches for training: samples of a store in a new order each epoch, transformed at
 * random, made ahead by background threads.  Where some samples have no mask, the first
 * half of each batch has masks and the rest has none; an epoch is then one of the
 * samples with masks, and shows others of those without each time.
 *
 * A batch depends on the seed, the epoch and its number alone, however many threads
 * there are and wherever an epoch is entered. */
#ifndef TRAIN_LOADER_H
#define TRAIN_LOADER_H

#include "objects/flows.h"
#include "pixels/augment.h"
#include "stream/store.h"

struct loader_options {
    size_t batch, height, width; /* of a batch: this process's part */
    size_t rank, ranks;          /* which part, of how many; 0 and 1 when alone */
    size_t repeat;               /* times that an epoch shows each sample */
    int channels, classes;       /* see planes_of, planes_classes */
    bool flows;                  /* from masks that number cells */
    enum flow_target target;     /* which */
    double diameter;             /* with flows: of the cells of every sample; 0: as it is */
    int threads;
    uint64_t seed;
    struct augment_policy policy;
};

struct loader;

/* The store stays the caller's and must outlive the loader, which is freed by the
 * caller. */
int loader_new(struct loader **loader, const struct store *store,
               const struct loader_options *options, struct err *err) MUST_CHECK;
void loader_free(struct loader *loader); /* NULL is fine */

/* How many samples at the end of each batch have no masks. */
size_t loader_unlabeled(const struct store *store, size_t batch);

/* Samples with masks that an epoch shows: before it is filled up to whole batches. */
size_t loader_shown(const struct loader *loader);

/* Enters an epoch at batch `first`; it has `batches` of them, and those that go beyond
 * the samples begin with the first ones again.  Ended with loader_leave. */
int loader_enter(struct loader *loader, uint64_t epoch, uint64_t first, uint64_t batches,
                 struct err *err) MUST_CHECK;

/* B x C x H x W in what a network sees, B x H x W classes (0 where there is no mask), and with
 * flows B x 2 x H x W and B numbers (see trainer.h), else NULL; borrowed until loader_done. */
struct loader_batch {
    const float *images, *flows, *taught;
    const uint8_t *labels;
};

/* The next batch.  Nothing is left: STATUS_BUG. */
int loader_take(struct loader *loader, struct loader_batch *batch, struct err *err) MUST_CHECK;
void loader_done(struct loader *loader);
void loader_leave(struct loader *loader);

#endif
