/* lib/scores: how well a prediction agrees with the truth: metrics by convention, matching of
 * objects, calibration, rows, summaries, reports. Finding the objects is not its matter, nor a
 * paper's tables (paper). */

/* The row of numbers that score(1) gives for an image. */
#ifndef SCORES_SCORES_H
#define SCORES_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "scores/metrics.h"
#include "scores/summary.h"

#define SCORES_MAX_THRESHOLDS 20

struct score_options {
    enum convention convention;
    double size_y, size_x; /* of a pixel, in the unit of distances */
    const char *unit;      /* appended to the distances' columns: "" or "_um" */
    int threshold_count;
    double thresholds[SCORES_MAX_THRESHOLDS]; /* IoU for AP */
};

/* dsc iou hd95 hd assd sensitivity specificity precision of height x width masks. */
int scores_of_mask(struct scores *scores, const uint8_t *prediction, const uint8_t *truth,
                   size_t height, size_t width, const struct score_options *options,
                   struct err *err) MUST_CHECK;

/* n_true n_pred aji; f1 pq sq rq at IoU 0.5; ap tp fp fn at each threshold, with
 * the threshold in percent after the name: ap50.  Label images of `count` pixels. */
int scores_of_objects(struct scores *scores, const uint32_t *prediction, const uint32_t *truth,
                      size_t count, const struct score_options *options,
                      struct err *err) MUST_CHECK;

/* ece brier, from sums over the image's pixels; risk80 risk90 aurc. */
void scores_of_calibration(struct scores *scores, const struct calibration *calibration);
void scores_of_risk(struct scores *scores, const struct risk *risk);

#endif
