/* The row of numbers that score(1) gives for an image, and what many rows say
 * together.  A row is a list of named columns. */
#ifndef OPS_SCORES_H
#define OPS_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "ops/metrics.h"

#define SCORES_MAX_COLUMNS    160
#define SCORES_MAX_THRESHOLDS 20

struct score {
    char name[24];
    double value; /* NaN where it is not defined */
};

struct scores {
    int count;
    struct score columns[SCORES_MAX_COLUMNS];
};

struct score_rules {
    enum convention convention;
    double size_y, size_x; /* of a pixel, in the unit of distances */
    const char *unit;      /* appended to the distances' columns: "" or "_um" */
    int threshold_count;
    double thresholds[SCORES_MAX_THRESHOLDS]; /* IoU for AP */
};

/* Later columns of a full row are dropped; SCORES_MAX_COLUMNS leaves room. */
void scores_set(struct scores *scores, const char *name, double value);
double scores_get(const struct scores *scores, const char *name); /* NaN when it is not there */

/* dsc iou hd95 hd assd sensitivity specificity precision of height x width masks. */
int scores_of_mask(struct scores *scores, const uint8_t *prediction, const uint8_t *truth,
                   size_t height, size_t width, const struct score_rules *rules,
                   struct err *err) MUST_CHECK;

/* n_true n_pred aji; f1 pq sq rq at IoU 0.5; ap tp fp fn at each threshold, with
 * the threshold in percent after the name: ap50.  Label images of `count` pixels. */
int scores_of_objects(struct scores *scores, const uint32_t *prediction, const uint32_t *truth,
                      size_t count, const struct score_rules *rules, struct err *err) MUST_CHECK;

/* ece brier, from sums over the image's pixels; risk80 risk90 aurc. */
void scores_of_calibration(struct scores *scores, const struct calibration *calibration);
void scores_of_risk(struct scores *scores, const struct risk *risk);

/* ---- over many rows ---- */

struct summary_column {
    char name[24];
    uint64_t count; /* of rows where it is defined */
    double mean, squares;
};

/* Mean and standard deviation of each column over the rows where it is defined
 * (Welford 1962).  A column "iou" brings iou50, iou75 and iou90, the paper's
 * IoU-0.5 to IoU-0.9: the share of rows whose IoU reaches the threshold, and map,
 * their mean. */
struct summary {
    int count;
    struct summary_column columns[SCORES_MAX_COLUMNS];
};

void summary_add(struct summary *summary, const struct scores *row);

/* Sample standard deviation (divided by n - 1); NaN below two rows. */
double summary_sd(const struct summary_column *column);

/* The means of a summary as a row, to summarise runs. */
void summary_row(const struct summary *summary, struct scores *row);

/* NULL when no row has that column.  Borrowed. */
const struct summary_column *summary_find(const struct summary *summary, const char *name);

#endif
