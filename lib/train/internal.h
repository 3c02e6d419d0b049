/* What the files of this room share. */
#ifndef TRAIN_INTERNAL_H
#define TRAIN_INTERNAL_H

#include "train/loader.h"
#include "train/record.h"
#include "train/session.h"

struct sums { /* of an epoch so far */
    double loss, term[LOSS_TERMS], batches, seconds;
};

struct validation { /* means; AP50 of all cells together, NaN where none are learned or numbered */
    double dsc, hd95, ap50;
};

struct session {
    struct session_options options;
    struct model *model;
    struct trainer *trainer;
    struct loader_options loading;
    struct loader *loader;
    const struct store *data, *validation; /* validation may be NULL */
    char digest[65];
    char *command; /* that began the run */
    char seed[32];
    struct lock *lock; /* of the files, the first rank's */
    struct record *record;
    bool plot_failed;
    char log_name[4096], checkpoint_name[4096], last_name[4096];
    double begun;        /* on the clock of seconds() */
    double before;       /* seconds that the run took before it was resumed */
    double clock;        /* seconds so far, on which all ranks agree */
    bool stop;           /* some rank was interrupted */
    bool with_outliers;  /* in this step */
    double best;         /* DSC, -1 before the first */
    double epoch, batch; /* position: epochs done, batches done in this one */
    double steps, log_bytes, rate;
    uint64_t steps_in_epoch, total_steps;
    struct sums sums;
    double loss; /* of the last whole epoch, 0 before the first */
    struct validation now;
    struct validation chosen; /* of the weights with the best DSC */
    double told, first_step;  /* clock of the last line, and of this process's first step */
    double steps_before;      /* this process's first */
    bool announced;           /* or not worth it */
    float *outliers;          /* see session_outliers */
};

/* Names the run's files and makes sure that it may replace what is there under them, and
 * that no other run does. */
int session_name_files(struct session *s, struct err *err) MUST_CHECK;

double session_seconds(void); /* of a monotonic clock */
double session_elapsed(const struct session *s);
bool session_is_first(const struct session *s); /* of the ranks: the one that writes */

/* Means over the validation samples, of which each rank takes its share. */
int session_validate(struct session *s, struct err *err) MUST_CHECK;

/* Nothing is written by ranks other than the first. */
int session_write_weights(struct session *s, const char *path, struct err *err) MUST_CHECK;
int session_write_checkpoint(struct session *s, struct err *err) MUST_CHECK;
int session_record_epoch(struct session *s, struct err *err) MUST_CHECK;

/* To people: how long it will take, when that is more than an hour; how it goes; what came out. */
void session_tell_step(struct session *s);
void session_tell_epoch(struct session *s);
void session_tell_end(struct session *s);

/* Puts the session where the checkpoint left it, when there is one. */
int session_resume(struct session *s, struct err *err) MUST_CHECK;

/* Room for what a batch becomes with outliers, when the epoch's last one is to be shown,
 * else NULL, borrowed; and its stream, which replaces that of the epoch before. */
int session_outliers(struct session *s, float **outliers, struct err *err) MUST_CHECK;
int session_write_outliers(struct session *s, const struct loader_batch *batch,
                           struct err *err) MUST_CHECK;

/* Adds the size model of a network of flows to the weights at `path`. */
int session_fit_size(const struct session *s, const char *path, struct err *err) MUST_CHECK;

#endif
