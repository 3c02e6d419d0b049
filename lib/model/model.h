/* lib/model: networks: layers with published names, one file an architecture, and the registry
 * that finds them. How a network is trained is known in train, what becomes of its outputs in
 * predict. */

/* Networks by name.  An architecture is a word with options after a colon,
 * "transunet-r50-b16:skips=0", "unetpp:ds=1"; model_new builds it, its parameters
 * carry the names of the published implementation.
 *
 *     struct model *m;
 *     if (model_open(&m, &weights, NULL, err)) ...       what the file says it is
 *     if (model_prepare(m, NN_CPU, DTYPE_F32, err)) ...  once, for inference
 *     if (model_forward(m, x, &out, err)) ...            out.logits: B x K x H x W
 *
 * The first message of libtorch goes into struct err.  Not thread-safe: one
 * thread a model. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "nn/nn.h"
#include "weights/weights.h"

struct model;

/* What the names of Cellpose's size model (predict/size_model.h) begin with in a file that
 * has the network, too. */
#define CELLPOSE_SIZE_PREFIX "size_model."

struct model_parameter {
    char *name;
    nn_tensor *tensor; /* the model's */
    bool trainable;    /* false: a buffer, such as a running mean */
};

#define MODEL_MAX_OUTPUTS 8
#define MODEL_FLOWS       2 /* maps of flow, vertical and horizontal */
#define MODEL_RIDGES      2 /* the option flows whose flow is FLOW_DISTANCE (objects/flows.h) */

/* Temporaries of the caller's scope. */
struct model_output {
    nn_tensor *logits; /* B x classes x H x W: what the network answers */
    /* With deep supervision: all outputs in the published order, each B x classes x
     * H x W; without, just `logits`. */
    nn_tensor *all[MODEL_MAX_OUTPUTS];
    int count;
    nn_tensor *flows;  /* B x 2 x H x W, 5 times unit flows; NULL where none are learned */
    nn_tensor *answer; /* logits and flows as the network gives them, side by side */
    nn_tensor *style;  /* Cellpose's, B x C of 2-norm 1; NULL for other networks */
};

/* ---- making ---- */

/* A new model with zeros for parameters, on the CPU, in evaluation mode.  An
 * unknown architecture or option: STATUS_USAGE.  Every one has the option flows=0..2 (0)
 * besides: two maps of flow beside the classes, from a head that is wider by two; with 2 they are
 * to lead to ridges.
 * Cellpose has flows already.  The caller frees it. */
int model_new(struct model **model, const char *architecture, int classes, int channels,
              struct err *err) MUST_CHECK;
void model_free(struct model *model);

/* Model and parameters from a file.  `architecture` overrides the metadata's, which
 * is an error when there is none either.  Numbers of classes and channels come from
 * the metadata or else from the shapes of the first and last layers. */
int model_open(struct model **model, const struct weights *weights, const char *architecture,
               struct err *err) MUST_CHECK;

/* Copies every parameter from the file: one that is missing, surplus or wrongly
 * shaped is STATUS_DATA, the first of them named and all counted.  Constants that
 * some checkpoints carry are accepted and left aside. */
int model_load(struct model *model, const struct weights *weights, struct err *err) MUST_CHECK;

/* What training starts from: by the published rule when the file is one of those that
 * the architecture's authors started from, else model_load, except that of two models of the
 * same classes one may have flows that the other lacks.  1 when the file has other classes: the
 * last layer stays as it is then. */
int model_load_initial(struct model *model, const struct weights *weights,
                       struct err *err) MUST_CHECK;

/* The encoder from a published ViT .npz, by the rules of the published code; the
 * other parameters stay.  STATUS_USAGE for an architecture without such a rule. */
int model_load_npz(struct model *model, const struct weights *npz, struct err *err) MUST_CHECK;

/* Random parameters as the published code starts from. */
int model_initialize(struct model *model, uint64_t seed, struct err *err) MUST_CHECK;

/* Adds all parameters and the metadata "architecture", "classes" and "channels". */
int model_export(const struct model *model, struct weights *weights, struct err *err) MUST_CHECK;

/* ---- what it is ---- */

/* What a run of training asks before there is a model.  An unknown architecture: STATUS_USAGE. */
struct model_traits {
    bool shown_gray;  /* one channel, the first of those that it takes; the others are zero */
    bool has_teacher; /* learns from images without masks too, by consistency with its average */
};
int model_find_traits(const char *architecture, struct model_traits *traits,
                      struct err *err) MUST_CHECK;

const char *model_architecture(const struct model *model); /* as given to model_new */
int model_classes(const struct model *model);
int model_channels(const struct model *model); /* of the input; 1 is repeated where 3 are needed */
int model_multiple(const struct model *model); /* height and width must be multiples of it */
bool model_has_flows(const struct model *model);   /* beside its classes */
bool model_has_ridges(const struct model *model);  /* and they lead to ridges, not to middles */
bool model_has_softmax(const struct model *model); /* logits are classes; Cellpose's are not */
struct model_parameter *model_parameters(const struct model *model, size_t *count);

/* ---- running ---- */

/* Moves parameters; drops what model_prepare made. */
int model_move(struct model *model, int device, struct err *err) MUST_CHECK;
/* Training: dropout and batch statistics.  Drops what model_prepare made. */
void model_set_training(struct model *model, bool training);
/* Moves to the device and makes the inference plan for this precision (DTYPE_F32,
 * DTYPE_BF16, on CUDA DTYPE_F16): folded, packed parameters, made once.  The
 * parameters must not change after it. */
int model_prepare(struct model *model, int device, enum dtype precision,
                  struct err *err) MUST_CHECK;

/* The same for good, and frees the parameters that it has packed: the model can only
 * be run after it, in little more memory than its parameters need. */
int model_freeze(struct model *model, int device, enum dtype precision, struct err *err) MUST_CHECK;

/* Logits and flows from out->answer, after that was changed as a whole; -1: nn_error. */
int model_split(const struct model *model, struct model_output *out) MUST_CHECK;

/* x: B x channels x H x W float32 on the model's device, values in [0, 1].  Needs
 * an nn scope.  A prepared model computes without gradients and gives float32. */
int model_forward(struct model *model, const nn_tensor *x, struct model_output *out,
                  struct err *err) MUST_CHECK;

#endif
