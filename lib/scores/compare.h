/* A prediction and its truth, compared: the rows that score(1) prints. */
#ifndef SCORES_COMPARE_H
#define SCORES_COMPARE_H

#include <stdbool.h>

#include "scores/scores.h"

struct compare_options {
    struct score_options scores;
    bool objects;   /* values are objects' labels */
    int components; /* connectivity: objects are components of the labels; 0: as they are */
    int classes;    /* values are classes 0 to classes - 1, compared one by one; 0: what is
                       not 0 is foreground */
};

/* Height x width each.  Either the labels, or the masks when no more than the
 * foreground is wanted; the others are NULL. */
struct compare_pair {
    size_t height, width;
    uint32_t *prediction, *truth; /* components are found in place */
    bool prediction_is_classes;   /* objects are its components, whatever the options say */
    const uint8_t *prediction_mask, *truth_mask;
    const float *foreground, *uncertainty; /* probability and uncertainty; NULL when unknown */
};

/* Sums over all pixels of all images. */
struct compare_totals {
    struct calibration calibration;
    struct risk risk;
};

/* Takes a row: of class `class`, 0 when there are no classes. */
typedef int compare_take(void *user, int class, const struct scores *row, struct err *err);

/* STATUS_DATA when a value is none of the classes. */
int compare_images(const struct compare_pair *pair, const struct compare_options *options,
                   struct compare_totals *totals, compare_take *take, void *user,
                   struct err *err) MUST_CHECK;

#endif
