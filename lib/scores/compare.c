#include "scores/compare.h"

#include <stdlib.h>

#include "objects/components.h"

/* Foreground, or class `class` when there are classes. */
static uint8_t *mask_of(const uint32_t *labels, size_t count, int class, struct err *err)
{
    uint8_t *mask = malloc(count + 1);
    if (!mask) {
        err_memory(err, "a mask");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        mask[i] = class ? labels[i] == (uint32_t) class : labels[i] != 0;
    return mask;
}

static int add_probabilities(struct scores *row, const struct compare_pair *pair,
                             const uint8_t *prediction, const uint8_t *truth,
                             struct compare_totals *totals, struct err *err)
{
    size_t count = pair->height * pair->width;
    struct compare_totals *own = calloc(1, sizeof *own);
    uint8_t *wrong = own ? malloc(count + 1) : NULL;
    int rc = wrong ? 0 : err_memory(err, "comparing probabilities");
    for (size_t i = 0; rc == 0 && i < count; i++)
        wrong[i] = truth[i] != prediction[i];
    if (rc == 0) {
        calibration_add(&own->calibration, pair->foreground, truth, count);
        calibration_add(&totals->calibration, pair->foreground, truth, count);
        risk_add(&own->risk, pair->uncertainty, wrong, count);
        risk_add(&totals->risk, pair->uncertainty, wrong, count);
        scores_of_calibration(row, &own->calibration);
        scores_of_risk(row, &own->risk);
    }
    free(wrong);
    free(own);
    return rc;
}

static int add_objects(struct scores *row, const struct compare_pair *pair,
                       const struct compare_options *options, struct err *err)
{
    uint32_t *p = pair->prediction, *t = pair->truth, found;
    size_t h = pair->height, w = pair->width;
    int both = options->components, predicted = both ? both : pair->prediction_is_classes ? 8 : 0;
    if ((predicted && components_label(p, h, w, predicted, p, &found, err)) ||
        (both && components_label(t, h, w, both, t, &found, err)))
        return -1;
    return scores_of_objects(row, p, t, h * w, &options->scores, err);
}

static int compare_masks(struct scores *row, const struct compare_pair *pair,
                         const struct compare_options *options, struct compare_totals *totals,
                         const uint8_t *prediction, const uint8_t *truth, struct err *err)
{
    if (scores_of_mask(row, prediction, truth, pair->height, pair->width, &options->scores, err))
        return -1;
    if (pair->foreground && options->classes <= 2 &&
        add_probabilities(row, pair, prediction, truth, totals, err))
        return -1;
    return options->objects ? add_objects(row, pair, options, err) : 0;
}

static int compare_class(struct scores *row, const struct compare_pair *pair,
                         const struct compare_options *options, struct compare_totals *totals,
                         int class, struct err *err)
{
    size_t count = pair->height * pair->width;
    if (pair->prediction_mask)
        return compare_masks(row, pair, options, totals, pair->prediction_mask, pair->truth_mask,
                             err);
    uint8_t *prediction = mask_of(pair->prediction, count, class, err);
    uint8_t *truth = prediction ? mask_of(pair->truth, count, class, err) : NULL;
    int rc = truth ? compare_masks(row, pair, options, totals, prediction, truth, err) : -1;
    free(prediction);
    free(truth);
    return rc;
}

static int check_classes(const struct compare_pair *pair, int classes, struct err *err)
{
    size_t count = pair->height * pair->width;
    for (size_t i = 0; classes && i < count; i++) {
        uint32_t p = pair->prediction[i], t = pair->truth[i];
        if (p >= (uint32_t)classes || t >= (uint32_t)classes)
            return err_set(err, STATUS_DATA, "value %u, but classes are 0 to %d", p > t ? p : t,
                           classes - 1);
    }
    return 0;
}

int compare_images(const struct compare_pair *pair, const struct compare_options *options,
                   struct compare_totals *totals, compare_take *take, void *user, struct err *err)
{
    if (check_classes(pair, options->classes, err))
        return -1;
    for (int class = options->classes ? 1 : 0; class == 0 || class < options->classes; class ++) {
        struct scores row = {.count = 0};
        if (compare_class(&row, pair, options, totals, class, err) || take(user, class, &row, err))
            return -1;
        if (options->classes == 0)
            break;
    }
    return 0;
}
