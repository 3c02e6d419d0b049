/* What a training run writes: weights to use, and checkpoints to go on from. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include <stdbool.h>

#include "train/trainer.h"

/* An entry of the metadata: a text, or a number where text is NULL; neither is left
 * out. */
struct note {
    const char *name, *text;
    double *number;
};

/* Reads the numbers back; one that is missing is STATUS_DATA. */
int notes_read_numbers(const struct note *notes, size_t count, const struct weights *weights,
                       struct err *err) MUST_CHECK;

/* The model as it is to be used: its running average where one is kept, as float16
 * with `half`.  Where the trainer has queues of logits, their Gaussians become the
 * metadata "logit_means" and "logit_covariance", JSON. */
int checkpoint_write_weights(const char *path, const struct model *model, struct trainer *trainer,
                             bool half, const struct note *notes, size_t count,
                             struct err *err) MUST_CHECK;

/* Model and trainer, whole or not at all. */
int checkpoint_write(const char *path, const struct model *model, const struct trainer *trainer,
                     const struct note *notes, size_t count, struct err *err) MUST_CHECK;

/* Puts model and trainer where the checkpoint left them. */
int checkpoint_restore(const struct weights *checkpoint, struct model *model,
                       struct trainer *trainer, struct err *err) MUST_CHECK;

#endif
