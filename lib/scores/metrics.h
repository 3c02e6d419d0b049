/* How well a binary mask agrees with the truth: overlap, surface distances,
 * calibration.  Where tools differ, above all for empty masks, an enum
 * convention says whose rule holds; score(1) has the table. */
#ifndef SCORES_METRICS_H
#define SCORES_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum convention {
    CONVENTION_STRICT,   /* a value without a definition is NaN */
    CONVENTION_RELEASED, /* the code released with MorphoSeg */
    CONVENTION_MEDPY,    /* medpy.metric.binary 0.5 */
    CONVENTION_CELLPOSE, /* cellpose.metrics 3.1 */
    CONVENTION_STARDIST, /* stardist.matching 0.9 */
    CONVENTION_NNUNET,   /* nnU-Net: overlap as version 2, distances as version 1 */
};
#define CONVENTION_WORDS "strict|released|medpy|cellpose|stardist|nnunet"

/* ---- overlap ---- */

/* Pixels that are in both masks, in the prediction only, in the truth only, in neither. */
struct confusion {
    uint64_t tp, fp, fn, tn;
};

/* Masks of `count` bytes, foreground where they are not 0; adds to *confusion. */
void confusion_add(struct confusion *confusion, const uint8_t *prediction, const uint8_t *truth,
                   size_t count);

struct overlap {
    double dsc;         /* 2 TP / (2 TP + FP + FN): Dice, F1 */
    double iou;         /* TP / (TP + FP + FN): Jaccard */
    double sensitivity; /* TP / (TP + FN): recall */
    double specificity; /* TN / (TN + FP) */
    double precision;   /* TP / (TP + FP) */
};

struct overlap overlap_of(const struct confusion *confusion, enum convention convention);

/* ---- surface distances ---- */

/* The directed distances of both surfaces taken together.  A surface is the mask
 * minus its erosion by the 4-neighborhood, where outside the image is background. */
struct surface {
    double hd95; /* 95th percentile of all distances, linear interpolation */
    double hd;   /* the largest */
    double assd; /* the mean, as MedPy 0.5 has it; the mean of the two directed means is another */
};

/* height x width masks; size_y, size_x as for edt_new, the unit of the result.
 * Whether masks are empty or full is decided by the convention. */
int surface_of(struct surface *surface, const uint8_t *prediction, const uint8_t *truth,
               size_t height, size_t width, double size_y, double size_x,
               enum convention convention, struct err *err) MUST_CHECK;

/* The q-quantile, q in [0, 1], with linear interpolation as NumPy and MedPy take
 * it; reorders `values`; NaN when there are none. */
double quantile(double *values, size_t count, double q);

/* ---- probabilities ---- */

#define CALIBRATION_BINS 15

/* Sums over pixels, so that images can be added up. */
struct calibration {
    uint64_t count[CALIBRATION_BINS];    /* pixels whose confidence falls into the bin */
    double confidence[CALIBRATION_BINS]; /* sum of the confidence of the predicted class */
    uint64_t correct[CALIBRATION_BINS];
    double squared; /* sum of (p - truth)^2, p: probability of the foreground */
    uint64_t total;
};

/* probability: of the foreground, count values (NaN counts as 0.5); truth: foreground
 * where it is not 0. */
void calibration_add(struct calibration *calibration, const float *probability,
                     const uint8_t *truth, size_t count);

/* Expected calibration error of the predicted class over 15 equal bins of
 * confidence (Guo et al. 2017), and Brier's score.  NaN without pixels. */
double calibration_ece(const struct calibration *calibration);
double calibration_brier(const struct calibration *calibration);

#define RISK_LEVELS 1024

/* Risk against coverage: pixels counted by their uncertainty (Geifman and El-Yaniv 2017). */
struct risk {
    uint64_t count[RISK_LEVELS], wrong[RISK_LEVELS];
};

/* uncertainty: count values, [0, 1] (others are clamped), 0 surest; wrong: not 0 where
 * the prediction differs from the truth. */
void risk_add(struct risk *risk, const float *uncertainty, const uint8_t *wrong, size_t count);

/* The share of wrong pixels among the `coverage` share of pixels that are surest,
 * and the area under that curve.  NaN without pixels. */
double risk_at(const struct risk *risk, double coverage);
double risk_area(const struct risk *risk);

#endif
