#include <math.h>
#include <stdlib.h>

#include "objects/cells.h"
#include "objects/flow_targets.h"
#include "pixels/planes.h"
#include "scores/matching.h"
#include "scores/metrics.h"
#include "train/internal.h"
#include "train/peers.h"

enum { TP, FP, FN, COUNTS };

/* Of the samples so far. */
struct tally {
    double dsc, hd95, cells[COUNTS];
    double numbered; /* samples whose masks number cells */
};

/* What the network sees of a sample, and what it answers. */
struct answer {
    float *image, *flows; /* channels x H x W; 2 x H x W, NULL where none are learned */
    uint8_t *truth, *found;
};

/* The cells that label(1) finds in classes and flows without options. */
static int find_cells(uint32_t *labels, struct answer *a, enum flow_target target, size_t height,
                      size_t width, struct err *err)
{
    struct cell_options options = {
        .connectivity = 8, .flow = FLOW_OPTIONS_DEFAULT, .min_size = -1, .min_relative = -1};
    uint32_t count;
    cells_beside_classes(&options, target, 0, false);
    for (size_t i = 0; i < height * width; i++) /* the image is not needed any more */
        a->image[i] = a->found[i] != 0;
    return cells_find(labels, height, width, &options, NULL, a->flows, a->image, &count, err);
}

static int match_cells(struct answer *a, enum flow_target target, const struct array *mask,
                       struct tally *tally, struct err *err)
{
    size_t n = array_count(mask);
    struct overlaps overlaps = {0};
    struct matching matching = {0};
    uint32_t *truth = mask_labels(mask, err), *labels = truth ? calloc(n, sizeof *labels) : NULL;
    int result = labels  ? find_cells(labels, a, target, mask->shape[0], mask->shape[1], err)
                 : truth ? err_memory(err, "validation")
                         : -1;
    if (result == 0)
        result = overlaps_of(&overlaps, truth, labels, n, err) ||
                         matching_at(&matching, &overlaps, 0.5, CONVENTION_STRICT, err)
                     ? -1
                     : 0;
    tally->cells[TP] += (double)matching.tp;
    tally->cells[FP] += (double)matching.fp;
    tally->cells[FN] += (double)matching.fn;
    tally->numbered++;
    overlaps_free(&overlaps);
    free(truth);
    free(labels);
    return result;
}

static int compare(const struct answer *a, const struct array *mask, struct tally *tally,
                   struct err *err)
{
    struct confusion confusion = {0};
    struct surface surface;
    confusion_add(&confusion, a->found, a->truth, array_count(mask));
    double dsc = overlap_of(&confusion, CONVENTION_STRICT).dsc;
    tally->dsc += isnan(dsc) ? 1 : dsc; /* nothing there and nothing found */
    if (surface_of(&surface, a->found, a->truth, mask->shape[0], mask->shape[1], 1, 1,
                   CONVENTION_RELEASED, err))
        return -1;
    tally->hd95 += surface.hd95;
    return 0;
}

static int ask(struct session *session, struct stored *s, struct answer *a, struct err *err)
{
    const struct loader_options *l = &session->loading;
    struct trainer_batch batch = {.size = 1,
                                  .channels = l->channels,
                                  .height = (int64_t)s->mask.shape[0],
                                  .width = (int64_t)s->mask.shape[1],
                                  .images = a->image,
                                  .labels = a->truth};
    return planes_of(&s->image, s->offset, s->gain, l->channels, 1, a->image, err) ||
                   planes_classes(&s->mask, l->classes, a->truth, err) ||
                   trainer_predict(session->trainer, &batch, a->found, a->flows, err)
               ? -1
               : 0;
}

static int validate_sample(struct session *session, struct stored *s, struct tally *tally,
                           struct err *err)
{
    size_t n = array_count(&s->mask);
    bool cells = model_has_flows(session->model) && s->mask_unit == 0;
    struct answer a = {.image = malloc(n * (size_t)session->loading.channels * sizeof *a.image),
                       .flows = cells ? malloc(n * MODEL_FLOWS * sizeof *a.flows) : NULL,
                       .truth = malloc(n),
                       .found = malloc(n)};
    bool enough = a.image && a.truth && a.found && (a.flows || !cells);
    int result = enough ? ask(session, s, &a, err) : err_memory(err, "validation");
    if (result == 0)
        result = compare(&a, &s->mask, tally, err);
    if (result == 0 && cells)
        result = match_cells(&a, session->loading.target, &s->mask, tally, err);
    free(a.image);
    free(a.flows);
    free(a.truth);
    free(a.found);
    return result;
}

/* Of all ranks. */
static int add_up(struct session *s, const struct tally *tally, struct err *err)
{
    struct validation *mean = &s->now;
    double count = (double)store_count(s->validation);
    double sums[] = {tally->dsc,       tally->hd95,      tally->cells[TP],
                     tally->cells[FP], tally->cells[FN], tally->numbered};
    if (peers_sum(s->options.trainer.group, sums, sizeof sums / sizeof *sums, err))
        return -1;
    double all = sums[2] + sums[3] + sums[4];
    mean->dsc = sums[0] / count;
    mean->hd95 = sums[1] / count;
    mean->ap50 = sums[5] == 0 ? NAN : all > 0 ? sums[2] / all : 1;
    return 0;
}

int session_validate(struct session *s, struct err *err)
{
    struct stored sample = {0};
    struct tally tally = {0};
    size_t count = store_count(s->validation);
    int result = trainer_swap_average(s->trainer, err);
    for (size_t i = s->loading.rank; i < count && result == 0; i += s->loading.ranks) {
        result = store_read(s->validation, i, &sample, err);
        if (result == 0)
            result = validate_sample(s, &sample, &tally, err);
        s->options.progress("validated", i + 1, count);
    }
    stored_free(&sample);
    return result || add_up(s, &tally, err) || trainer_swap_average(s->trainer, err) ? -1 : 0;
}
