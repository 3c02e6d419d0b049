#include "scores/scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scores/matching.h"

static void set_with(struct scores *scores, const char *name, const char *suffix, double value)
{
    char whole[24];
    snprintf(whole, sizeof whole, "%.11s%.12s", name, suffix);
    scores_set(scores, whole, value);
}

int scores_of_mask(struct scores *scores, const uint8_t *prediction, const uint8_t *truth,
                   size_t height, size_t width, const struct score_options *options,
                   struct err *err)
{
    struct confusion confusion = {0};
    struct surface surface;
    confusion_add(&confusion, prediction, truth, height * width);
    if (surface_of(&surface, prediction, truth, height, width, options->size_y, options->size_x,
                   options->convention, err))
        return -1;
    struct overlap overlap = overlap_of(&confusion, options->convention);
    scores_set(scores, "dsc", overlap.dsc);
    scores_set(scores, "iou", overlap.iou);
    set_with(scores, "hd95", options->unit, surface.hd95);
    set_with(scores, "hd", options->unit, surface.hd);
    set_with(scores, "assd", options->unit, surface.assd);
    scores_set(scores, "sensitivity", overlap.sensitivity);
    scores_set(scores, "specificity", overlap.specificity);
    scores_set(scores, "precision", overlap.precision);
    return 0;
}

/* ---- objects ---- */

static int set_at_half(struct scores *scores, const struct overlaps *overlaps,
                       enum convention convention, struct err *err)
{
    struct matching m;
    double aji;
    if (matching_at(&m, overlaps, 0.5, convention, err) ||
        matching_aji(&aji, overlaps, convention, err))
        return -1;
    double undefined = convention == CONVENTION_STARDIST ? 0 : NAN;
    scores_set(scores, "n_true", (double)(m.tp + m.fn));
    scores_set(scores, "n_pred", (double)(m.tp + m.fp));
    scores_set(scores, "aji", aji);
    scores_set(scores, "f1", matching_f1(&m, convention));
    scores_set(scores, "pq", matching_pq(&m, convention));
    scores_set(scores, "sq", m.tp ? m.iou_sum / (double)m.tp : undefined);
    return 0;
}

static int set_at(struct scores *scores, const struct overlaps *overlaps, double threshold,
                  enum convention convention, struct err *err)
{
    struct matching m;
    char percent[16];
    if (matching_at(&m, overlaps, threshold, convention, err))
        return -1;
    snprintf(percent, sizeof percent, "%.6g", 100 * threshold);
    set_with(scores, "ap", percent, matching_ap(&m, convention));
    set_with(scores, "tp", percent, (double)m.tp);
    set_with(scores, "fp", percent, (double)m.fp);
    set_with(scores, "fn", percent, (double)m.fn);
    return 0;
}

int scores_of_objects(struct scores *scores, const uint32_t *prediction, const uint32_t *truth,
                      size_t count, const struct score_options *options, struct err *err)
{
    struct overlaps overlaps;
    if (overlaps_of(&overlaps, truth, prediction, count, err))
        return -1;
    int rc = set_at_half(scores, &overlaps, options->convention, err);
    for (int i = 0; rc == 0 && i < options->threshold_count; i++)
        rc = set_at(scores, &overlaps, options->thresholds[i], options->convention, err);
    overlaps_free(&overlaps);
    return rc;
}

/* ---- probabilities ---- */

void scores_of_calibration(struct scores *scores, const struct calibration *calibration)
{
    scores_set(scores, "ece", calibration_ece(calibration));
    scores_set(scores, "brier", calibration_brier(calibration));
}

void scores_of_risk(struct scores *scores, const struct risk *risk)
{
    scores_set(scores, "risk80", risk_at(risk, 0.8));
    scores_set(scores, "risk90", risk_at(risk, 0.9));
    scores_set(scores, "aurc", risk_area(risk));
}
