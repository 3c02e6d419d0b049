#include "loader/loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/prefetch.h"
#include "ops/flow_targets.h"
#include "ops/planes.h"

struct loader {
    const struct spool *spool;
    struct loader_options options;
    struct prefetch *batches; /* of the current epoch */
    uint64_t *order;          /* of the current epoch; see load_batch */
    struct spooled *scratch;  /* one a thread */
    uint64_t epoch;
};

int loader_new(struct loader **loader, const struct spool *spool,
               const struct loader_options *options, struct err *err)
{
    struct loader *l = calloc(1, sizeof *l);
    if (l)
        l->scratch = calloc((size_t)options->threads, sizeof *l->scratch);
    if (!l || !l->scratch) {
        free(l);
        return err_memory(err, "a loader");
    }
    l->spool = spool;
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
        spooled_free(&loader->scratch[i]);
    free(loader->scratch);
    free(loader->order);
    free(loader);
}

size_t loader_shown(const struct loader *loader)
{
    return spool_count(loader->spool) * loader->options.repeat;
}

/* ---- a slot: images, flows, then labels ---- */

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
    return ((size_t)l->options.channels + (l->options.flows ? 2 : 0)) * batch_pixels(l);
}

static uint8_t *slot_labels(const struct loader *l, void *slot)
{
    return (uint8_t *)((float *)slot + slot_floats(l));
}

/* ---- filling it ---- */

/* Pixels around a window whose flows are learnt, for the cells that it cuts. */
#define FLOW_MARGIN 32

/* The policy for a sample, which scales its cells to the diameter asked for. */
static int policy_of(const struct loader *l, const struct spooled *s, struct augment_policy *policy,
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

static int load_sample(const struct loader *l, uint64_t shown, struct spooled *s, float *images,
                       float *flows, uint8_t *labels, struct err *err)
{
    const struct loader_options *o = &l->options;
    char name[1100];
    struct augment_draw draw;
    struct augment_policy policy;
    struct array image = {0}, mask = {0};
    if (policy_of(l, s, &policy, err))
        return err_prefix(err, "sample '%s'", s->key);
    snprintf(name, sizeof name, "%" PRIu64 "/%" PRIu64 "/%s", l->epoch, shown, s->key);
    struct rng rng = rng_new(o->seed, name);
    augment_draw(&draw, &policy, &rng, s->image.shape[0], s->image.shape[1], o->height, o->width);
    int result = augment_image(&draw, &s->image, &image, err) ||
                         augment_mask(&draw, &s->mask, o->flows, &mask, err) ||
                         planes_of(&image, s->offset, s->gain, o->channels, images, err) ||
                         planes_classes(&mask, o->classes, labels, err) ||
                         (flows && flow_targets(&draw, &s->mask, FLOW_MARGIN, flows, err))
                     ? err_prefix(err, "sample '%s'", s->key)
                     : 0;
    array_free(&image);
    array_free(&mask);
    return result;
}

/* Batch `number` of the epoch. */
static int load_batch(void *context, uint64_t number, int thread, void *slot, struct err *err)
{
    const struct loader *l = context;
    const struct loader_options *o = &l->options;
    size_t pixels = o->height * o->width;
    for (size_t i = 0; i < o->batch; i++) {
        uint64_t shown = l->order[(number * o->ranks + o->rank) * o->batch + i];
        size_t sample = (size_t)(shown % spool_count(l->spool));
        if (spool_read(l->spool, sample, &l->scratch[thread], err) ||
            load_sample(l, shown, &l->scratch[thread],
                        (float *)slot + i * (size_t)o->channels * pixels,
                        o->flows ? slot_flows(l, slot) + 2 * i * pixels : NULL,
                        slot_labels(l, slot) + i * pixels, err))
            return -1;
    }
    return 0;
}

/* ---- epochs ---- */

/* Every sample `repeat` times, shuffled, filled up with the first ones. */
static void shuffle(struct loader *l, size_t count, size_t filled)
{
    char name[64];
    snprintf(name, sizeof name, "order of epoch %" PRIu64, l->epoch);
    struct rng rng = rng_new(l->options.seed, name);
    for (size_t i = 0; i < count; i++)
        l->order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)rng_below(&rng, i);
        uint64_t other = l->order[i - 1];
        l->order[i - 1] = l->order[j];
        l->order[j] = other;
    }
    for (size_t i = count; i < filled; i++)
        l->order[i] = l->order[i % count];
}

int loader_enter(struct loader *loader, uint64_t epoch, uint64_t first, uint64_t batches,
                 struct err *err)
{
    const struct loader_options *o = &loader->options;
    size_t count = loader_shown(loader), filled = (size_t)batches * o->batch * o->ranks;
    size_t slot = slot_floats(loader) * sizeof(float) + batch_pixels(loader);
    uint64_t *order = realloc(loader->order, (count > filled ? count : filled) * sizeof *order);
    if (!order)
        return err_set(err, STATUS_MEMORY, "out of memory for %zu samples", count);
    loader->order = order;
    loader->epoch = epoch;
    shuffle(loader, count, filled);
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
