#include "train/loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/prefetch.h"
#include "objects/flow_targets.h"
#include "pixels/normalize.h"
#include "pixels/planes.h"

struct loader {
    const struct store *store;
    struct loader_options options;
    struct prefetch *batches; /* of the current epoch */
    uint64_t *order;          /* of the current epoch; see load_batch */
    struct stored *scratch;   /* one a thread */
    uint64_t epoch;
};

int loader_new(struct loader **loader, const struct store *store,
               const struct loader_options *options, struct err *err)
{
    struct loader *l = calloc(1, sizeof *l);
    if (l)
        l->scratch = calloc((size_t)options->threads, sizeof *l->scratch);
    if (!l || !l->scratch) {
        free(l);
        return err_memory(err, "a loader");
    }
    l->store = store;
    l->options = *options;
    *loader = l;
    return 0;
}

void loader_free(struct loader *loader)
{
    if (!loader)
        return;
    loader_leave(loader);
    for (int i = 0; i < loader->options.threads; i++)
        stored_free(&loader->scratch[i]);
    free(loader->scratch);
    free(loader->order);
    free(loader);
}

size_t loader_shown(const struct loader *loader)
{
    return store_labeled(loader->store) * loader->options.repeat;
}

size_t loader_unlabeled(const struct store *store, size_t batch)
{
    return store_count(store) > store_labeled(store) ? batch / 2 : 0;
}

/* ---- a slot: images, flows, which of them are taught, then labels ---- */

static size_t batch_pixels(const struct loader *l)
{
    return l->options.batch * l->options.height * l->options.width;
}

static float *slot_flows(const struct loader *l, void *slot)
{
    return l->options.flows ? (float *)slot + (size_t)l->options.channels * batch_pixels(l) : NULL;
}

static size_t slot_floats(const struct loader *l)
{
    size_t flows = l->options.flows ? 2 * batch_pixels(l) + l->options.batch : 0;
    return (size_t)l->options.channels * batch_pixels(l) + flows;
}

static float *slot_taught(const struct loader *l, void *slot)
{
    return l->options.flows ? (float *)slot + slot_floats(l) - l->options.batch : NULL;
}

static uint8_t *slot_labels(const struct loader *l, void *slot)
{
    return (uint8_t *)((float *)slot + slot_floats(l));
}

/* ---- filling it ---- */

/* Pixels around a window whose flows are learned, for the cells that it cuts. */
#define FLOW_MARGIN 32

/* The policy for a sample, which scales its cells to the diameter asked for. */
static int policy_of(const struct loader *l, const struct stored *s, struct augment_policy *policy,
                     struct err *err)
{
    double diameter;
    *policy = l->options.policy;
    if (!l->options.flows || l->options.diameter == 0)
        return 0;
    if (mask_diameter(&s->mask, &diameter, err))
        return -1;
    policy->scale = diameter > 0 ? l->options.diameter / diameter : 0;
    return 0;
}

/* Without a mask nothing is labeled. */
static int load_labels(const struct loader_options *o, const struct augment_draw *draw,
                       const struct array *mask, uint8_t *labels, struct err *err)
{
    struct array seen;
    memset(labels, 0, o->height * o->width);
    if (!mask->data)
        return 0;
    if (augment_mask(draw, mask, o->flows, &seen, err))
        return -1;
    int result = planes_classes(&seen, o->classes, labels, err);
    array_free(&seen);
    return result;
}

/* Masks in black and white, and samples without one, have none. */
static bool numbers_cells(const struct stored *s)
{
    return s->mask.data && s->mask_unit == 0;
}

static int load_flows(const struct stored *s, const struct augment_draw *draw,
                      enum flow_target target, float *flows, size_t pixels, struct err *err)
{
    if (numbers_cells(s))
        return flow_targets(draw, &s->mask, FLOW_MARGIN, target, flows, err);
    memset(flows, 0, 2 * pixels * sizeof *flows);
    return 0;
}

static int load_sample(const struct loader *l, uint64_t shown, struct stored *s, float *images,
                       float *flows, uint8_t *labels, struct err *err)
{
    const struct loader_options *o = &l->options;
    char name[1100];
    struct augment_draw draw;
    struct augment_policy policy;
    struct array image = {0};
    if (policy_of(l, s, &policy, err) ||
        (s->gain == 0 && normalize_image(&s->image, &s->offset, &s->gain, err)))
        return err_prefix(err, "sample '%s'", s->key);
    snprintf(name, sizeof name, "%" PRIu64 "/%" PRIu64 "/%s", l->epoch, shown, s->key);
    struct rng rng = rng_new(o->seed, name);
    augment_draw(&draw, &policy, &rng, s->image.shape[0], s->image.shape[1], o->height, o->width);
    int result =
        augment_image(&draw, &s->image, &image, err) ||
                load_labels(o, &draw, &s->mask, labels, err) ||
                planes_of(&image, s->offset, s->gain, o->channels, 1, images, err) ||
                (flows && load_flows(s, &draw, o->target, flows, o->height * o->width, err))
            ? err_prefix(err, "sample '%s'", s->key)
            : 0;
    array_free(&image);
    return result;
}

/* The order has samples with masks by their number and how often they were shown, and
 * those without as the numbers above. */
#define WITHOUT_MASK ((uint64_t)1 << 63)

static size_t sample_of(const struct loader *l, uint64_t shown)
{
    size_t labeled = store_labeled(l->store);
    return shown & WITHOUT_MASK ? labeled + (size_t)(shown - WITHOUT_MASK)
                                : (size_t)(shown % labeled);
}

/* Batch `number` of the epoch. */
static int load_batch(void *context, uint64_t number, int thread, void *slot, struct err *err)
{
    const struct loader *l = context;
    const struct loader_options *o = &l->options;
    size_t pixels = o->height * o->width;
    for (size_t i = 0; i < o->batch; i++) {
        uint64_t shown = l->order[(number * o->ranks + o->rank) * o->batch + i];
        if (store_read(l->store, sample_of(l, shown), &l->scratch[thread], err) ||
            load_sample(l, shown, &l->scratch[thread],
                        (float *)slot + i * (size_t)o->channels * pixels,
                        o->flows ? slot_flows(l, slot) + 2 * i * pixels : NULL,
                        slot_labels(l, slot) + i * pixels, err))
            return -1;
        if (o->flows)
            slot_taught(l, slot)[i] = numbers_cells(&l->scratch[thread]);
    }
    return 0;
}

/* ---- epochs ---- */

/* first, first + 1, ... in a random order, again and again until `filled` are there. */
static void shuffle(uint64_t *order, uint64_t first, size_t count, size_t filled, struct rng *rng)
{
    for (size_t i = 0; i < count; i++)
        order[i] = first + i;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)rng_below(rng, i);
        uint64_t other = order[i - 1];
        order[i - 1] = order[j];
        order[j] = other;
    }
    for (size_t i = count; i < filled; i++)
        order[i] = order[i % count];
}

static uint64_t *shuffled(const struct loader *l, const char *what, uint64_t first, size_t count,
                          size_t filled, struct err *err)
{
    char name[64];
    snprintf(name, sizeof name, "%s of epoch %" PRIu64, what, l->epoch);
    struct rng rng = rng_new(l->options.seed, name);
    uint64_t *order = malloc(((count > filled ? count : filled) + 1) * sizeof *order);
    if (order)
        shuffle(order, first, count, filled, &rng);
    else
        err_set(err, STATUS_MEMORY, "out of memory for %zu samples", count);
    return order;
}

/* Each batch takes its part of both orders. */
static void interleave(struct loader *l, size_t batches, const uint64_t *with,
                       const uint64_t *without)
{
    size_t rest = loader_unlabeled(l->store, l->options.batch), most = l->options.batch - rest;
    for (size_t b = 0; b < batches; b++) {
        uint64_t *to = l->order + b * l->options.batch;
        memcpy(to, with + b * most, most * sizeof *to);
        if (rest)
            memcpy(to + most, without + b * rest, rest * sizeof *to);
    }
}

static int make_order(struct loader *l, size_t batches, struct err *err)
{
    size_t rest = loader_unlabeled(l->store, l->options.batch), most = l->options.batch - rest;
    size_t others = rest ? store_count(l->store) - store_labeled(l->store) : 0;
    uint64_t *with = shuffled(l, "order", 0, loader_shown(l), batches * most, err);
    uint64_t *without =
        with ? shuffled(l, "others", WITHOUT_MASK, others, batches * rest, err) : NULL;
    free(l->order);
    l->order = without ? malloc(batches * l->options.batch * sizeof *l->order + 1) : NULL;
    if (l->order)
        interleave(l, batches, with, without);
    free(with);
    free(without);
    if (without && !l->order)
        return err_memory(err, "an order of samples");
    return l->order ? 0 : -1;
}

int loader_enter(struct loader *loader, uint64_t epoch, uint64_t first, uint64_t batches,
                 struct err *err)
{
    const struct loader_options *o = &loader->options;
    size_t slot = slot_floats(loader) * sizeof(float) + batch_pixels(loader);
    loader->epoch = epoch;
    if (make_order(loader, (size_t)batches * o->ranks, err))
        return -1;
    return prefetch_start(&loader->batches, o->threads, o->threads + 2, slot, first, batches,
                          load_batch, loader, err);
}

int loader_take(struct loader *loader, struct loader_batch *batch, struct err *err)
{
    void *slot = prefetch_take(loader->batches, err);
    if (!slot)
        return err->status ? -1 : err_set(err, STATUS_BUG, "the epoch is over");
    batch->images = slot;
    batch->flows = slot_flows(loader, slot);
    batch->taught = slot_taught(loader, slot);
    batch->labels = slot_labels(loader, slot);
    return 0;
}

void loader_done(struct loader *loader)
{
    prefetch_done(loader->batches);
}

void loader_leave(struct loader *loader)
{
    prefetch_stop(loader->batches, NULL);
    loader->batches = NULL;
}
