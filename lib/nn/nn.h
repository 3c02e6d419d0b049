/* lib/nn: libtorch behind a C header, and kernels of our own where its are slow; the only C++.
 * What a network is made of belongs here, networks to model, tables of results to predict and
 * train. Many files: one for each kind of operation, and one for each kernel. */

/* The C interface to libtorch: tensors, layers, losses, gradients, optimizers.
 *
 * No exception crosses.  A function that gives a tensor returns NULL on failure,
 * any other 0 or -1; nn_error() then has the reason.  A NULL tensor where one is
 * needed makes the result NULL and keeps the first reason, so that a chain of
 * calls needs one check at its end.
 *
 * Ownership.  Every `struct nn_tensor *` that a function returns is a temporary
 * of the innermost scope of the calling thread and freed when that ends, unless
 * its comment says "new" (the caller frees it with nn_free) or "borrowed".  No
 * scope: an error.  Arguments stay the caller's.  Handles share memory where
 * libtorch's tensors do (reshape, narrow, ...); freeing a handle is always safe.
 *
 * Images are B x C x H x W.  `dim` may be negative, counting from the last. */
#ifndef NN_NN_H
#define NN_NN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/array.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nn_tensor;
struct nn_optimizer;
typedef struct nn_tensor nn_tensor;

/* Why the last call of this thread failed: one line.  Borrowed.  For tests; others have
 * nn_to_err. */
const char *nn_error(void);
/* STATUS_MEMORY when memory, of the host or a device, was exhausted, else STATUS_BUG. */
enum status nn_error_status(void); /* For tests. */
/* Fills err with both, after "what: ".  Always returns -1. */
int nn_to_err(struct err *err, const char *what);

/* ---- the machine ---- */

#define NN_CPU (-1) /* a device: NN_CPU, or the number of a CUDA device */

int nn_cuda_count(void); /* 0 also for a libtorch without CUDA */

/* "cpu", "cuda:N", or "cuda" for number `any`.  STATUS_USAGE for other texts and for a
 * device that is not there. */
int nn_find_device(const char *text, int any, int *device, struct err *err) MUST_CHECK;

int nn_set_threads(int threads) MUST_CHECK; /* 0: one a processor */
int nn_threads(void);                       /* For tests. */
/* To be called between pieces of work.  Threads that wait for each other spin for a while,
 * which is fastest alone and ruinous where other processes want the processors: when
 * this one's threads have lately stood ready without one, they sleep at once instead. */
void nn_mind_others(void);
int nn_seed(uint64_t seed) MUST_CHECK; /* of dropout, nn_rand, nn_randn and initialization */

/* Whether matrix products in bfloat16 have instructions of the device, and so are quicker
 * than those in float32. */
bool nn_has_fast_bf16(int device);
/* The quicker of DTYPE_F32 and DTYPE_BF16. */
enum dtype nn_fastest_precision(int device);
/* STATUS_USAGE, with the reason, for a type of products that the device has not. */
int nn_check_precision(int device, enum dtype precision, struct err *err) MUST_CHECK;

/* Floating-point operations of the matrix products and convolutions that this thread
 * asks libtorch for in between, two for each multiplication with addition.  For tests. */
int nn_count_begin(void) MUST_CHECK;
uint64_t nn_count_end(void); /* For tests. */

/* ---- scopes and modes, of the calling thread ---- */

int nn_scope_begin(void) MUST_CHECK;
void nn_scope_end(void);
/* Ends the scope but hands `keep` to the scope around it; NULL gives NULL. */
nn_tensor *nn_scope_end_keep(nn_tensor *keep);
/* A second handle, new. */
nn_tensor *nn_keep(const nn_tensor *x);
void nn_free(nn_tensor *x); /* of a new one; NULL is fine */

/* Both return how it was before.  Gradients are on at start. */
bool nn_set_gradients(bool on);
/* Products and convolutions in `dtype` (DTYPE_BF16, on CUDA also DTYPE_F16);
 * DTYPE_F32 turns it off. */
enum dtype nn_set_autocast(int device, enum dtype dtype);

/* ---- tensors and host memory ---- */

/* Copies C-order data of any dtype; uint16 and uint32 become int32 and int64. */
nn_tensor *nn_from_host(const void *data, enum dtype dtype, int ndim, const int64_t *shape);
/* Copies into C-order memory of exactly `bytes` bytes, converting to `dtype`. */
int nn_to_host(const nn_tensor *x, void *data, enum dtype dtype, size_t bytes) MUST_CHECK;
int nn_item(const nn_tensor *x, double *value) MUST_CHECK; /* of a tensor with one element */

nn_tensor *nn_full(int ndim, const int64_t *shape, double value, enum dtype dtype, int device);
nn_tensor *nn_zeros_like(const nn_tensor *x); /* For tests. */
nn_tensor *nn_rand(int ndim, const int64_t *shape,
                   int device); /* For tests: uniform in [0, 1), float32 */
nn_tensor *nn_randn(int ndim, const int64_t *shape, int device); /* For tests: normal, float32 */
nn_tensor *nn_arange(int64_t n, int device);                     /* For tests: 0 ... n - 1, int64 */

nn_tensor *nn_to_dtype(const nn_tensor *x, enum dtype dtype);
nn_tensor *nn_to_device(const nn_tensor *x, int device);
nn_tensor *nn_clone(const nn_tensor *x);
nn_tensor *nn_contiguous(const nn_tensor *x);    /* C order */
nn_tensor *nn_channels_last(const nn_tensor *x); /* 4-d: B x H x W x C in memory */

int nn_ndim(const nn_tensor *x);              /* -1 for NULL */
int64_t nn_size(const nn_tensor *x, int dim); /* -1 for NULL or no such dimension */
int64_t nn_count(const nn_tensor *x);         /* elements; -1 for NULL */
enum dtype nn_dtype(const nn_tensor *x);
int nn_device(const nn_tensor *x);

/* In place.  They work on parameters only while gradients are off. */
int nn_copy_(nn_tensor *to, const nn_tensor *from) MUST_CHECK; /* converts and moves; same shape */
/* From C-order memory of any dtype but uint16 and uint32; as many elements as x has. */
int nn_copy_from_host_(nn_tensor *to, const void *data, enum dtype dtype) MUST_CHECK;
int nn_fill_(nn_tensor *x, double value) MUST_CHECK;
int nn_scale_(nn_tensor *x, double factor) MUST_CHECK;
/* x += factor y; the whole part of the factor for integers */
int nn_add_(nn_tensor *x, const nn_tensor *y, double factor) MUST_CHECK;
int nn_uniform_(nn_tensor *x, double low, double high) MUST_CHECK;
int nn_normal_(nn_tensor *x, double mean, double deviation) MUST_CHECK;
int nn_truncated_normal_(nn_tensor *x, double deviation) MUST_CHECK; /* within 2 deviations */

/* ---- parameters and gradients ---- */

/* New, float32 zeros on the CPU; a buffer (running mean) has no gradient. */
nn_tensor *nn_parameter(int ndim, const int64_t *shape);
nn_tensor *nn_buffer(int ndim, const int64_t *shape, enum dtype dtype);
/* Moves or converts a parameter or a buffer, keeping the handle; its gradient is dropped. */
int nn_move_(nn_tensor *x, int device, enum dtype dtype) MUST_CHECK;
int nn_require_gradient_(nn_tensor *x, bool on) MUST_CHECK; /* For tests. */

int nn_backward(const nn_tensor *loss) MUST_CHECK;
nn_tensor *nn_gradient(const nn_tensor *x); /* NULL, without an error, when there is none */
int nn_zero_gradients(nn_tensor *const *xs, size_t n) MUST_CHECK;
/* Gradients of a scalar by each of n tensors, into out[n] (temporaries; zeros for
 * tensors that it does not depend on).  Leaves nn_gradient alone.  keep_graph: more
 * will be asked of the same graph. */
int nn_gradients_of(const nn_tensor *loss, nn_tensor *const *xs, size_t n, bool keep_graph,
                    nn_tensor **out) MUST_CHECK;
nn_tensor *nn_detach(const nn_tensor *x);
/* Scales all gradients so that their joint 2-norm is at most `limit`; *norm (may
 * be NULL) is what it was. */
int nn_clip_gradients(nn_tensor *const *xs, size_t n, double limit, double *norm) MUST_CHECK;

/* ---- shape ---- */

nn_tensor *nn_reshape(const nn_tensor *x, int ndim, const int64_t *shape); /* one -1 allowed */
nn_tensor *nn_reshape2(const nn_tensor *x, int64_t a, int64_t b);
nn_tensor *nn_reshape3(const nn_tensor *x, int64_t a, int64_t b, int64_t c);
nn_tensor *nn_reshape4(const nn_tensor *x, int64_t a, int64_t b, int64_t c, int64_t d);
nn_tensor *nn_permute(const nn_tensor *x, int ndim, const int64_t *order);
nn_tensor *nn_transpose(const nn_tensor *x, int dim0, int dim1);
nn_tensor *nn_expand(const nn_tensor *x, int ndim, const int64_t *shape); /* -1 keeps a size */
nn_tensor *nn_unsqueeze(const nn_tensor *x, int dim);
nn_tensor *nn_narrow(const nn_tensor *x, int dim, int64_t start, int64_t length);
nn_tensor *nn_select(const nn_tensor *x, int dim, int64_t index); /* that dimension goes */
nn_tensor *nn_cat(const nn_tensor *const *xs, size_t n, int dim);
nn_tensor *nn_cat2(const nn_tensor *x, const nn_tensor *y, int dim);
nn_tensor *nn_stack(const nn_tensor *const *xs, size_t n, int dim);
/* Pads (or, negative, crops) the last two dimensions. */
nn_tensor *nn_pad2d(const nn_tensor *x, int64_t left, int64_t right, int64_t top, int64_t bottom,
                    double value);
nn_tensor *nn_roll2(const nn_tensor *x, int64_t shift0, int dim0, int64_t shift1, int dim1);
nn_tensor *nn_flip(const nn_tensor *x, int dim);
nn_tensor *nn_rotate90(const nn_tensor *x, int quarters); /* last two dimensions */
nn_tensor *nn_index_select(const nn_tensor *x, int dim, const nn_tensor *index);

/* ---- arithmetic, broadcasting ---- */

nn_tensor *nn_add(const nn_tensor *x, const nn_tensor *y);
nn_tensor *nn_sub(const nn_tensor *x, const nn_tensor *y);
nn_tensor *nn_mul(const nn_tensor *x, const nn_tensor *y);
nn_tensor *nn_div(const nn_tensor *x, const nn_tensor *y);
nn_tensor *nn_minimum(const nn_tensor *x, const nn_tensor *y);
nn_tensor *nn_affine(const nn_tensor *x, double factor, double addend); /* factor x + addend */
nn_tensor *nn_clamp(const nn_tensor *x, double low, double high);
nn_tensor *nn_log(const nn_tensor *x);
nn_tensor *nn_sqrt(const nn_tensor *x);
nn_tensor *nn_abs(const nn_tensor *x); /* For tests. */
nn_tensor *nn_square(const nn_tensor *x);
/* Comparisons give bool; with a number or, broadcasting, a tensor. */
enum nn_comparison { NN_EQ, NN_NE, NN_LT, NN_LE, NN_GT, NN_GE };
nn_tensor *nn_compare(const nn_tensor *x, enum nn_comparison how, double y);
nn_tensor *nn_compare_to(const nn_tensor *x, enum nn_comparison how,
                         const nn_tensor *y); /* For tests. */
nn_tensor *nn_where(const nn_tensor *condition, const nn_tensor *yes, const nn_tensor *no);
nn_tensor *nn_matmul(const nn_tensor *x, const nn_tensor *y); /* batches broadcast */

/* ---- reductions ---- */

nn_tensor *nn_sum(const nn_tensor *x);  /* of all, 0-d */
nn_tensor *nn_mean(const nn_tensor *x); /* of all, 0-d */
nn_tensor *nn_sum_dims(const nn_tensor *x, int n, const int64_t *dims, bool keep);
nn_tensor *nn_mean_dims(const nn_tensor *x, int n, const int64_t *dims, bool keep);
nn_tensor *nn_max_dim(const nn_tensor *x, int dim, bool keep); /* For tests. */
nn_tensor *nn_argmax(const nn_tensor *x, int dim);             /* int64 */
nn_tensor *nn_logsumexp(const nn_tensor *x, int dim, bool keep);
nn_tensor *nn_dot(const nn_tensor *x, const nn_tensor *y); /* of all elements, 0-d */

/* ---- layers; a NULL bias, weight, mask is left out ---- */

nn_tensor *nn_relu(const nn_tensor *x);
nn_tensor *nn_gelu(const nn_tensor *x); /* with the error function, not its tanh approximation */
nn_tensor *nn_sigmoid(const nn_tensor *x);
nn_tensor *nn_softmax(const nn_tensor *x, int dim);
nn_tensor *nn_dropout(const nn_tensor *x, double p, bool training);
/* Drops whole samples with probability p (stochastic depth), scaling the others. */
nn_tensor *nn_drop_path(const nn_tensor *x, double p, bool training);

struct nn_conv {
    int stride_h, stride_w; /* 0 stands for 1 in all but the padding */
    int pad_h, pad_w;
    int dilation_h, dilation_w;
    int groups;
};
/* weight: O x C/groups x kh x kw; bias: O */
nn_tensor *nn_conv2d(const nn_tensor *x, const nn_tensor *weight, const nn_tensor *bias,
                     struct nn_conv how);
/* weight: O x I; over the last dimension of x */
nn_tensor *nn_linear(const nn_tensor *x, const nn_tensor *weight, const nn_tensor *bias);
/* Over B, H and W.  training: uses the batch's statistics and moves mean and
 * variance by `momentum` towards them. */
nn_tensor *nn_batch_norm(const nn_tensor *x, const nn_tensor *weight, const nn_tensor *bias,
                         nn_tensor *running_mean, nn_tensor *running_var, bool training,
                         double momentum, double eps);
nn_tensor *nn_group_norm(const nn_tensor *x, int64_t groups, const nn_tensor *weight,
                         const nn_tensor *bias, double eps);
/* Over the last dimension. */
nn_tensor *nn_layer_norm(const nn_tensor *x, const nn_tensor *weight, const nn_tensor *bias,
                         double eps);
nn_tensor *nn_max_pool2d(const nn_tensor *x, int kernel, int stride, int pad);
nn_tensor *nn_upsample_bilinear(const nn_tensor *x, int64_t height, int64_t width,
                                bool align_corners);
nn_tensor *nn_upsample_nearest(const nn_tensor *x, int64_t height, int64_t width);
/* softmax(q k^T scale + mask) v over the last two dimensions: q, k and v are
 * ... x N x D, the additive mask broadcasts to ... x N x N. */
nn_tensor *nn_attention(const nn_tensor *q, const nn_tensor *k, const nn_tensor *v,
                        const nn_tensor *mask, double scale);

/* ---- losses; mean over all elements or pixels that count ---- */

/* logits B x K x ..., target B x ... int64; class_weight: K or NULL; pixels whose
 * target is `ignore` don't count (-100 for none). */
nn_tensor *nn_cross_entropy(const nn_tensor *logits, const nn_tensor *target,
                            const nn_tensor *class_weight, int64_t ignore);
nn_tensor *nn_bce_with_logits(const nn_tensor *logits, const nn_tensor *target);
/* B x ... int64 to B x K x ... float32 */
nn_tensor *nn_one_hot(const nn_tensor *target, int64_t classes);

/* ---- optimizers ---- */

/* New; the parameters stay the caller's and must outlive it.  Parameters without a
 * gradient are left alone by a step. */
struct nn_optimizer *nn_sgd(nn_tensor *const *parameters, size_t n, double momentum,
                            double weight_decay);
/* Decoupled weight decay (Loshchilov and Hutter 2019); `decayed`, n flags or NULL
 * for all, says which parameters it is for. */
struct nn_optimizer *nn_adamw(nn_tensor *const *parameters, size_t n, double beta1, double beta2,
                              double eps, double weight_decay, const bool *decayed);
void nn_optimizer_free(struct nn_optimizer *optimizer);
int nn_optimizer_step(struct nn_optimizer *optimizer, double learning_rate) MUST_CHECK;

/* State for checkpoints: the number of steps and the slots of each parameter,
 * "momentum" for SGD, "exp_avg" and "exp_avg_sq" for AdamW, zero at start.  The
 * tensors are borrowed; write into them with nn_copy_. */
int64_t nn_optimizer_steps(const struct nn_optimizer *optimizer);
void nn_optimizer_set_steps(struct nn_optimizer *optimizer, int64_t steps);
int nn_optimizer_slots(const struct nn_optimizer *optimizer);
const char *nn_optimizer_slot_name(const struct nn_optimizer *optimizer, int slot);
nn_tensor *nn_optimizer_slot(const struct nn_optimizer *optimizer, int slot, size_t parameter);

/* ---- processes that train together, over libtorch's c10d (Gloo) ----
 *
 * All of them make the same calls in the same order.  A process that ends, or is
 * silent for `timeout` seconds, makes the calls of the others fail with STATUS_IO. */

struct nn_group;
struct nn_group_options {
    int rank, size;
    const char *address; /* where rank 0 listens */
    int port;
    bool hosted;     /* somebody else listens there, as torchrun does */
    const char *run; /* keeps runs on one listener apart; "" will do */
    int timeout;     /* seconds */
};
enum nn_reduction { NN_SUM, NN_MEAN };

/* New; waits for the others.  NULL, with STATUS_USAGE, when libtorch has no c10d. */
struct nn_group *nn_group_new(const struct nn_group_options *options);
void nn_group_free(struct nn_group *group); /* NULL is fine */
/* In place, in buckets. */
int nn_group_all_reduce(struct nn_group *group, nn_tensor *const *xs, size_t n,
                        enum nn_reduction how) MUST_CHECK;
int nn_group_broadcast(struct nn_group *group, nn_tensor *const *xs, size_t n) MUST_CHECK;
/* All ranks' x, of the same shape, along dimension 0.  Carries gradients, which are
 * right when all ranks compute the same from it and average their parameters'. */
nn_tensor *nn_group_gather(struct nn_group *group, const nn_tensor *x);
/* From now on batch normalization trains on the statistics of all ranks' batches;
 * NULL: on its own, as at start. */
void nn_set_batch_group(struct nn_group *group);

#ifdef __cplusplus
}
#endif

#endif
