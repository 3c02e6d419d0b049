/* lib/paper: the tables of the paper, ours beside the published. Scores come from score(1)'s
 * tables, not from pixels. */

/* A published table beside our runs of it.
 *
 * The published table is a TSV whose columns are labels (method, encoder, ...), the
 * metrics DSC, HD95, IoU-0.5, IoU-0.75, IoU-0.9, mAP ("80.35±1.67", "96.11", or
 * "-"), and `run`, the name of the run that reproduces the row.
 *
 * A run's record is a TSV of score --summary, with remarks "# key<tab>value" before
 * it: run, seed, status ("ok", or why it failed), device, date, commit, seconds; side,
 * that of its tiles in pixels, which a published table may have as a remark, too; and
 * what a label is of our network where it is not the published one's ("layers"). */
#ifndef PAPER_COMPARISON_H
#define PAPER_COMPARISON_H

#include <stdbool.h>
#include <stddef.h>

#include "core/tsv.h"

enum { METRIC_COUNT = 6, MAX_LABELS = 8, MAX_RUNS = 64 };

extern const struct metric {
    const char *name;   /* in the published table */
    const char *source; /* in score's summary */
    double factor;      /* from score's unit to the table's */
    int better;         /* 1: larger is better, -1: smaller */
} metrics[METRIC_COUNT];

/* Mean and sample standard deviation; NaN when not known. */
struct mean_sd {
    double mean, sd;
};

struct comparison_row {
    const char *labels[MAX_LABELS], *our_labels[MAX_LABELS];
    const char *run;
    struct mean_sd ours[METRIC_COUNT], paper[METRIC_COUNT];
    bool best[METRIC_COUNT]; /* of ours in the column, in a table with the label "dataset"
                                of that data set; among rows that found something, for
                                distances in at least 95 % of the images */
    double images, found;    /* scored, and in which something was found, of one run */
    bool other_side;         /* our tiles have another side than the published ones: pixels
                                are not comparable */
    const struct tsv *records[MAX_RUNS]; /* of this run, in the order given */
    size_t record_count, ok_count;
};

struct comparison {
    const char *label_names[MAX_LABELS];
    size_t label_count;
    int shown[METRIC_COUNT]; /* whether the published table has the metric */
    bool knows_found;        /* for any row */
    struct comparison_row *rows;
    size_t row_count;
};

/* Borrows from `paper` and `records`, which must outlive it.  Records of runs that
 * the table does not have are ignored.  The caller frees it. */
int comparison_new(struct comparison *comparison, const struct tsv *paper,
                   const struct tsv *records, size_t record_count, struct err *err) MUST_CHECK;
void comparison_free(struct comparison *comparison);

/* "ok", or why the run failed; never NULL. */
const char *record_status(const struct tsv *record);

#endif
