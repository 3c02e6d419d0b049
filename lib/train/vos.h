/* Virtual outlier synthesis on the logits (Zhang et al. 2025, section 3.2).
 *
 * Each class keeps a queue of logits.  In a step some of the batch's logits enter
 * the queues; each class's mean and the covariance shared by all, equations (6) to
 * (8), come from the queues.  Candidates are drawn from each class's Gaussian, the
 * least likely of them, or those of a density below epsilon, equation (9), replace
 * logits at random pixels labeled with that class.
 *
 * A candidate is mean + L z, L being the Cholesky factor of the covariance and z
 * normal, so its likelihood depends on |z| alone, and gradients reach the logits
 * that entered the queues in this step; older entries are constants. */
#ifndef TRAIN_VOS_H
#define TRAIN_VOS_H

#include "core/rng.h"
#include "nn/nn.h"
#include "predict/gaussians.h"
#include "weights/weights.h"

enum vos_mode {
    VOS_CLASS,
    /* What the code released with the paper computes: one Gaussian over all logits of
     * the batch, covariance over N - 1; and the logits' memory, B x K x H x W, taken as
     * rows of K numbers, random rows of which are replaced, whatever the labels.  A row
     * is thus K neighboring pixels of one class's plane. */
    VOS_RELEASED,
};

/* What `select` is counted in; VOS_RELEASED knows batches only. */
enum vos_share { VOS_PER_BATCH, VOS_PER_IMAGE };

struct vos_options {
    enum vos_mode mode;
    int64_t sample; /* candidates a class (released: of all) */
    int64_t select; /* of them, the least likely */
    int64_t queue;  /* |Q_k|; a tenth of it enters in a step */
    double ridge;   /* added to the covariance's diagonal */
    double epsilon; /* above 0: instead of the least likely, any whose density is below this,
                       as equation (9) has it; at most `select` */
    enum vos_share per;
};

struct vos;

/* At most GAUSSIANS_MAX_CLASSES classes.  The caller frees it. */
int vos_new(struct vos **vos, const struct vos_options *options, int classes,
            struct err *err) MUST_CHECK;
void vos_free(struct vos *vos); /* NULL is fine */

/* One step: logits B x K x H x W float32 and their labels, B x H x W in host memory.
 * Fills the queues; *synthetic (may be NULL: only fill) gets the logits with
 * outliers, a temporary.  What is random comes from `rng`. */
int vos_step(struct vos *vos, const nn_tensor *logits, const uint8_t *labels, struct rng *rng,
             nn_tensor **synthetic, struct err *err) MUST_CHECK;

/* The Gaussians of what is in the queues now. */
int vos_gaussians(const struct vos *vos, struct gaussians *g, struct err *err) MUST_CHECK;

/* The queues, for checkpoints: "vos.queue" and "vos.position". */
int vos_export(const struct vos *vos, struct weights *weights, struct err *err) MUST_CHECK;
int vos_import(struct vos *vos, const struct weights *weights, struct err *err) MUST_CHECK;

#endif
