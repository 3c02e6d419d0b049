/* lib/train: a run from samples to weights: batches, losses, outliers, topology, steps,
 * validation, checkpoints, processes that share the work. What a trained network needs to answer
 * belongs to model or predict. Many files: each loss, and each thing that is kept or told of a
 * run, is apart. */

/* A run of training, from samples to weights: epochs of steps, validation, a record,
 * and checkpoints from which it goes on with the same bytes. */
#ifndef TRAIN_SESSION_H
#define TRAIN_SESSION_H

#include <signal.h>

#include "objects/flows.h"
#include "pixels/augment.h"
#include "stream/store.h"
#include "train/ranks.h"
#include "train/schedule.h"
#include "train/trainer.h"

/* Texts are the caller's and must outlive the session; those that may be NULL say so. */
struct session_options {
    const char *output;              /* the weights; log and checkpoint are named after it */
    const char *arch, *init;         /* architecture; weights to start from, or NULL */
    const char *log, *plot, *events; /* each may be NULL */
    const char *outliers;            /* stream of the last batch after virtual outliers, or NULL */
    const char *command, *data, *license; /* for the metadata; the last two may be NULL */
    int64_t epochs, steps;                /* steps > 0: so many instead */
    double minutes;                       /* > 0: so many instead */
    int64_t batch, accumulate;
    int64_t crop;    /* size of the windows; 0: whole samples */
    double diameter; /* networks of flows see cells of this diameter; 0: as they are */
    int64_t repeat;  /* times that an epoch shows each sample */
    int64_t classes;
    int64_t channels; /* 0: the first sample's */
    int64_t seed;
    int64_t threads, loaders;    /* of libtorch, 0: one a core; that read and augment */
    int64_t timeout;             /* seconds to wait for other ranks */
    double vos_start, vos_share; /* virtual outliers begin after both: epochs, part of the run */
    bool size_model;             /* fit one to the weights, see predict/size_model.h */
    int ranges;                  /* the stores see ranges, see sample_scale; for the metadata */
    bool half;                   /* weights as float16 */
    bool resume;                 /* go on from the checkpoint, if there is one */
    struct ranks ranks;
    struct augment_policy policy;
    struct schedule schedule;
    struct trainer_options trainer;           /* seed, ranks and what TopoSeg needs are filled in */
    const volatile sig_atomic_t *interrupted; /* not 0: stop after the step */
    void (*progress)(const char *unit, uint64_t done, uint64_t total); /* total 0: unknown */
    void (*warn)(const struct err *err);
    void (*say)(const char *text);    /* a line for people who wait */
    void (*status)(const char *text); /* the same, where the next may replace it */
};

struct session;

/* Whether samples without a mask teach anything: consistency with a teacher counts. */
bool session_learns_unlabeled(const struct session_options *options);

#define FLOWS_ANY (-1) /* the network's, else diffusion */

/* Names the network where -a did not: what the network of o->init is and sees, else the default;
 * flows: the architecture's option of that name, 1 + enum flow_target; 0: as it is.  ranges_given:
 * o->ranges stays. */
int session_settle_arch(struct session_options *o, int flows, bool ranges_given,
                        struct err *err) MUST_CHECK;

/* Finds the other ranks, makes the model, and goes to where the checkpoint left it.
 * The stores stay the caller's; validation may be NULL.  Options that do not fit
 * each other or the data are STATUS_USAGE. */
int session_new(struct session **session, const struct session_options *options,
                const struct store *data, const struct store *validation,
                struct err *err) MUST_CHECK;

/* To the end: weights are written; or to an interruption: STATUS_AGAIN, with a
 * checkpoint. */
int session_run(struct session *session, struct err *err) MUST_CHECK;

/* Frees the session also when it fails; NULL is fine. */
int session_close(struct session *session, struct err *err) MUST_CHECK;

#endif
