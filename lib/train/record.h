/* The record of a training run: a row an epoch as TSV, a picture of it, and event
 * files for TensorBoard. */
#ifndef TRAIN_RECORD_H
#define TRAIN_RECORD_H

#include <stdint.h>

#include "core/err.h"

struct record;

struct record_row {
    uint64_t epoch;
    int64_t step;
    double rate, loss, ce, dice, ce_out, dice_out, flow; /* means over the epoch */
    double val_dsc, val_hd95, val_ap50; /* NaN without validation; AP50 of single cells */
    double images_per_s, seconds;
};

/* What every table begins with. */
#define RECORD_BEGIN "epoch\tstep\trate\tloss\t"

/* Begins a table at `path`, or, with bytes of 0 and more, goes on with the one that is
 * there after so many bytes, dropping the rest; one that is gone begins anew.
 * STATUS_CREATE when another run writes it.  `events`: a folder for TensorBoard, or NULL.  The
 * caller ends it with record_close. */
int record_open(struct record **record, const char *path, int64_t bytes, const char *events,
                struct err *err) MUST_CHECK;

int record_add(struct record *record, const struct record_row *row, struct err *err) MUST_CHECK;

/* Bytes of the table so far, all of them written; -1 when that fails. */
int64_t record_bytes(struct record *record, struct err *err) MUST_CHECK;

/* Draws the table as SVG by gnuplot; STATUS_SOME_FAILED where there is no gnuplot. */
int record_plot(const struct record *record, const char *svg, struct err *err) MUST_CHECK;

/* Frees the record also when it fails; NULL is fine. */
int record_close(struct record *record, struct err *err) MUST_CHECK;

#endif
