/* Named numbers of an image, and what those of many images say together. */
#ifndef SCORES_SUMMARY_H
#define SCORES_SUMMARY_H

#include <stdint.h>

#define SCORES_MAX_COLUMNS 160

struct score {
    char name[24];
    double value; /* NaN where it is not defined */
};

struct scores {
    int count;
    struct score columns[SCORES_MAX_COLUMNS];
};

/* Later columns of a full row are dropped; SCORES_MAX_COLUMNS leaves room. */
void scores_set(struct scores *scores, const char *name, double value);

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

/* The means of a summary as a row, to summarize runs. */
void summary_row(const struct summary *summary, struct scores *row);

#endif
