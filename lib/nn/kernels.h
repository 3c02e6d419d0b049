/* Loops over floats in memory for prepared networks and training, one thread each; lib/nn's
 * C++ divides the work.  Rows are contiguous; bfloat16 as uint16_t. */
#ifndef NN_KERNELS_H
#define NN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void kernel_floats_from_bf16(float *to, const uint16_t *from, size_t n);
void kernel_bf16_from_floats(uint16_t *to, const float *from, size_t n); /* to nearest even */

/* sum[c] += x, squares[c] += x^2 over `rows` rows of `channels`; best for few rows
 * (at most some hundred) at a time, whose float sums are then exact enough. */
void kernel_moments(const float *x, size_t rows, size_t channels, float *sum, float *squares);

/* y = max(x scale + shift + residual, 0) by channel; residual NULL: none; without
 * relu no maximum.  y may be x. */
void kernel_scale_rows(float *y, const float *x, const float *residual, size_t rows,
                       size_t channels, const float *scale, const float *shift, bool relu);

/* (x - mean) / sqrt(variance + eps) weight + bias of one row */
void kernel_layer_norm(float *y, const float *x, size_t n, const float *weight, const float *bias,
                       float eps);

/* Zeros where a hash of `key` and the place is below `threshold`, else x scale. */
void kernel_drop(float *y, const float *x, size_t n, uint32_t key, uint32_t threshold, float scale);
void kernel_drop_bf16(uint16_t *y, const uint16_t *x, size_t n, uint32_t key, uint32_t threshold,
                      float scale);

/* v = momentum v + g + decay p;  p -= rate v */
void kernel_sgd(float *p, float *v, const float *g, size_t n, float momentum, float decay,
                float rate);
/* p -= decay p;  m, v: moving averages of g and g^2;  p -= rate m / (sqrt(v) root + eps) */
struct adamw {
    float decay, beta1, rest1, beta2, rest2, root, eps, rate; /* rest1: 1 - beta1 */
};
void kernel_adamw(float *p, float *m, float *v, const float *g, size_t n, const struct adamw *how);

/* y = a + (b - a) t */
void kernel_blend(float *y, const float *a, const float *b, float t, size_t n);

/* One row of pixels stretched: pixel i of `to` is blended from pixels left[i] and
 * left[i] + step[i] (0 or 1) of `from` with weight t[i] for the latter. */
void kernel_stretch_row(float *to, const float *from, const int32_t *left, const int32_t *step,
                        const float *t, size_t width, size_t channels);

/* One head of softmax attention.  q, k, v: n rows of d floats, `stride` floats apart;
 * mask, added to the scaled scores: n rows of n, mask_stride apart, NULL for none; out:
 * n rows of d floats, out_stride apart. */
struct kernel_head {
    float *out;
    const float *q, *k, *v, *mask;
    size_t out_stride, stride, mask_stride, n, d;
    float scale;
};
/* scratch: kernel_attention_scratch(n, d) floats, 64-byte aligned. */
void kernel_attention(const struct kernel_head *head, float *scratch);
size_t kernel_attention_scratch(size_t n, size_t d);

/* Weights of a 3 x 3 convolution, each kernel's nine floats together, to be packed for
 * it.  turned: by half a turn, as the gradient by x wants them. */
struct kernel_conv_weights {
    const float *from;
    size_t in, out, in_stride, out_stride;
    bool turned;
};
/* max(convolution + bias + residual, 0), 3 x 3 with stride 1, of images with `in` floats
 * a pixel; bias, residual NULL: none; without relu no maximum. */
struct kernel_conv {
    float *out;
    const float *x, *weights, *bias, *residual;
    size_t height, width, in, out_channels, pad_h, pad_w;
    bool relu;
};
bool kernel_conv3x3_suits(size_t in, size_t out);
/* Packed, into kernel_conv3x3_weights(in, out) floats: parts first to end - 1 of
 * kernel_conv3x3_parts(in, out). */
size_t kernel_conv3x3_weights(size_t in, size_t out);
size_t kernel_conv3x3_parts(size_t in, size_t out);
void kernel_conv3x3_pack(float *to, const struct kernel_conv_weights *weights, size_t first,
                         size_t end);
/* So many tiles from tile `first` on, of kernel_conv3x3_tiles an image; scratch:
 * kernel_conv3x3_scratch floats, 64-byte aligned. */
size_t kernel_conv3x3_tiles(const struct kernel_conv *c);
size_t kernel_conv3x3_scratch(const struct kernel_conv *c, size_t tiles);
void kernel_conv3x3(const struct kernel_conv *c, size_t first, size_t tiles, float *scratch);

/* The gradient of such a convolution by its weights, in three steps that threads share,
 * for each `tiles` tiles of all images and then for the next, as sums over tiles.
 * gradient: by the convolution's result. */
struct kernel_gradient {
    const float *x, *gradient;
    size_t height, width, in, out, pad_h, pad_w;
    size_t tiles; /* at a time */
    /* rooms of kernel_gradient_room(tiles, in), (tiles, out) and (in, out) floats */
    float *inputs, *outputs, *products;
};
enum { KERNEL_GRADIENT_PLACES = 36 };
bool kernel_gradient_suits(size_t in, size_t out);
size_t kernel_gradient_room(size_t tiles, size_t channels);
/* Transforms tiles begin + first to begin + end - 1 into the rooms; scratch: 36 times the
 * more of `in` and `out`. */
void kernel_gradient_tiles(const struct kernel_gradient *k, size_t begin, size_t first, size_t end,
                           float *scratch);
/* Multiplies what the first `tiles` tiles have at one place; onto: adds to what is there. */
void kernel_gradient_product(const struct kernel_gradient *k, size_t place, size_t tiles,
                             bool onto);
/* Parts of kernel_gradient_parts(in, out) of the weights' gradient, out x in x 3 x 3. */
size_t kernel_gradient_parts(size_t in, size_t out);
void kernel_gradient_finish(const struct kernel_gradient *k, float *weights, size_t first,
                            size_t end);

#ifdef __cplusplus
}
#endif

#endif
