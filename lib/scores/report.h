/* Rows of scores and their summary, as TSV or JSON. */
#ifndef SCORES_REPORT_H
#define SCORES_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/err.h"
#include "scores/metrics.h"
#include "scores/summary.h"

/* Failures are of memory; errors of `to` are left to the caller's check. */
struct scores_report {
    FILE *to;
    bool json;
    bool rows;              /* print them; JSON does anyway */
    bool classes;           /* rows have a class */
    bool summarize;         /* print the summary at the end; JSON does anyway */
    const char *convention; /* its name, for JSON */
    uint64_t printed;
    struct summary summary; /* of all rows */
};

void scores_report_begin(struct scores_report *report);
int scores_report_row(struct scores_report *report, const char *name, int class,
                      const struct scores *row, struct err *err) MUST_CHECK;
int scores_report_end(struct scores_report *report, struct err *err) MUST_CHECK;

/* Tables of numbers: the risk at each hundredth of coverage; the bins of a reliability diagram. */
int scores_write_curve(const char *path, const struct risk *risk, struct err *err) MUST_CHECK;
int scores_write_reliability(const char *path, const struct calibration *calibration,
                             struct err *err) MUST_CHECK;

/* The means over the rows of a table that was written as TSV. */
int scores_of_run(struct scores *means, const char *path, struct err *err) MUST_CHECK;

#endif
