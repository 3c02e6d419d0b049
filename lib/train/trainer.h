/* Steps of training: a model, its optimizer, its objective. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "model/model.h"
#include "train/loss.h"
#include "train/toposeg.h"
#include "train/vos.h"

enum trainer_optimizer { TRAINER_SGD, TRAINER_ADAMW };

struct trainer_options {
    enum trainer_optimizer optimizer;
    double momentum, weight_decay;
    double clip;          /* joint 2-norm of the gradients at most; 0: no limit */
    double average;       /* decay of the running average of parameters; 0: none is kept */
    int device;           /* NN_CPU, or a CUDA device */
    enum dtype precision; /* of products: DTYPE_F32, DTYPE_BF16; on CUDA DTYPE_F16 */
    bool scale_loss;      /* as float16 needs it: the loss is multiplied by a power of two that
                             halves when a gradient overflows (that step is left out) and
                             doubles after TRAINER_SCALE_STEPS good steps */
    struct loss_options loss;
    bool outliers; /* keep queues for virtual outliers; see trainer_use_outliers */
    struct vos_options vos;
    /* With a measure: consistency with a teacher, which is the running average. */
    struct toposeg_options consistency;
    int64_t ramp;  /* steps after which consistency counts whole */
    uint64_t seed; /* of dropout and outliers, with the number of the step */
    /* Processes that share each batch, or NULL; the caller's.  Each gives its part, all of
     * the same size, and the step is that of the parts together: logits and labels are
     * gathered for the objective and the outliers, batch normalization counts all parts,
     * gradients are averaged before they are clipped.  Only dropout differs. */
    struct nn_group *group;
    int rank, ranks;
};

#define TRAINER_SCALE_STEPS 500

struct trainer;

/* The model stays the caller's and must outlive the trainer. */
int trainer_new(struct trainer **trainer, struct model *model,
                const struct trainer_options *options, struct err *err) MUST_CHECK;
void trainer_free(struct trainer *trainer);

/* A batch in host memory: images B x C x H x W float32, labels B x H x W uint8.  For
 * a network that has flows those, too: B x 2 x H x W float32, unit vectors, vertical first,
 * of the images whose `taught`, B values, is 1 and not 0.  For one without classes
 * (Cellpose) any label but 0 is a cell. */
struct trainer_batch {
    int64_t size, channels, height, width;
    const float *images;
    const uint8_t *labels;
    const float *flows, *taught;
    /* So many images at the end have no labels: only consistency with the teacher counts
     * for them. */
    int64_t unlabeled;
    /* Room for B x K x H x W: the probabilities of the labeled images after outliers took
     * their places, written in steps that have outliers.  May be NULL. */
    float *outliers;
};

struct trainer_report {
    double loss;
    struct loss_result terms; /* `total` is not valid any more */
    double gradient_norm;     /* 0 when nothing asks for it */
    bool skipped;             /* the gradient overflowed */
};

/* Adds a batch's gradient, divided by `parts`: the number of batches that make up
 * one step. */
int trainer_accumulate(struct trainer *trainer, const struct trainer_batch *batch, int parts,
                       struct trainer_report *report, struct err *err) MUST_CHECK;

/* Moves the parameters by what was added, and forgets it.  A gradient that is not a
 * number is STATUS_DATA, but with scale_loss only when no scale helps. */
int trainer_step(struct trainer *trainer, double learning_rate, struct trainer_report *report,
                 struct err *err) MUST_CHECK;

/* Class of every pixel, B x H x W, by the network in evaluation mode; and, unless `flows` is
 * NULL, the flows that it learns beside its classes, B x 2 x H x W, 5 times unit flows. */
int trainer_predict(struct trainer *trainer, const struct trainer_batch *batch, uint8_t *classes,
                    float *flows, struct err *err) MUST_CHECK;

/* Puts the running average in the model's place, and back; nothing without one. */
int trainer_swap_average(struct trainer *trainer, struct err *err) MUST_CHECK;

/* From now on the losses of virtual outliers count, or not (as at start). */
void trainer_use_outliers(struct trainer *trainer, bool on);

/* The Gaussians of the logits, from the outliers' queues. */
int trainer_gaussians(const struct trainer *trainer, struct gaussians *g,
                      struct err *err) MUST_CHECK;

int64_t trainer_steps(const struct trainer *trainer);

/* Everything that a continued run needs beyond the model's own parameters: the
 * optimizer's slots and steps, the average, the outliers' queues. */
int trainer_export(const struct trainer *trainer, struct weights *weights,
                   struct err *err) MUST_CHECK;
int trainer_import(struct trainer *trainer, const struct weights *weights,
                   struct err *err) MUST_CHECK;

#endif
