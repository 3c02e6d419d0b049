#include <math.h>
#include <stdlib.h>

#include "pixels/planes.h"
#include "scores/metrics.h"
#include "train/internal.h"
#include "train/peers.h"

static int validate_sample(struct session *session, struct stored *s, struct validation *sum,
                           struct err *err)
{
    const struct loader_options *l = &session->loading;
    size_t n = array_count(&s->mask);
    float *image = malloc(n * (size_t)l->channels * sizeof *image);
    uint8_t *truth = malloc(n), *found = malloc(n);
    int result = image && truth && found ? 0 : err_memory(err, "validation");
    struct trainer_batch batch = {.size = 1,
                                  .channels = l->channels,
                                  .height = (int64_t)s->mask.shape[0],
                                  .width = (int64_t)s->mask.shape[1],
                                  .images = image,
                                  .labels = truth};
    if (result == 0)
        result = planes_of(&s->image, s->offset, s->gain, l->channels, image, err) ||
                         planes_classes(&s->mask, l->classes, truth, err) ||
                         trainer_predict(session->trainer, &batch, found, err)
                     ? -1
                     : 0;
    if (result == 0) {
        struct confusion confusion = {0};
        struct surface surface;
        confusion_add(&confusion, found, truth, n);
        double dsc = overlap_of(&confusion, CONVENTION_STRICT).dsc;
        sum->dsc += isnan(dsc) ? 1 : dsc; /* nothing there and nothing found */
        result = surface_of(&surface, found, truth, s->mask.shape[0], s->mask.shape[1], 1, 1,
                            CONVENTION_RELEASED, err);
        sum->hd95 += result == 0 ? surface.hd95 : 0;
    }
    free(image);
    free(truth);
    free(found);
    return result;
}

int session_validate(struct session *s, struct err *err)
{
    struct stored sample = {0};
    struct validation *mean = &s->now;
    size_t count = store_count(s->validation);
    *mean = (struct validation){0};
    int result = trainer_swap_average(s->trainer, err);
    for (size_t i = s->loading.rank; i < count && result == 0; i += s->loading.ranks) {
        result = store_read(s->validation, i, &sample, err);
        if (result == 0)
            result = validate_sample(s, &sample, mean, err);
        s->options.progress("validated", i + 1, count);
    }
    stored_free(&sample);
    double sums[] = {mean->dsc, mean->hd95};
    result = result || peers_sum(s->options.trainer.group, sums, 2, err);
    mean->dsc = sums[0] / (double)count;
    mean->hd95 = sums[1] / (double)count;
    return result || trainer_swap_average(s->trainer, err) ? -1 : 0;
}
