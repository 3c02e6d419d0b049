#include "nn/kernels.h"

#include <math.h>
#include <string.h>

#include "core/target.h"

/* ---- bfloat16 ---- */

TARGET_CLONES void kernel_floats_from_bf16(float *to, const uint16_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)from[i] << 16;
        memcpy(&to[i], &bits, sizeof bits);
    }
}

TARGET_CLONES void kernel_bf16_from_floats(uint16_t *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &from[i], sizeof bits);
        to[i] = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}

/* ---- normalisation ---- */

TARGET_CLONES void kernel_moments(const float *x, size_t rows, size_t channels, float *restrict sum,
                                  float *restrict squares)
{
    size_t r = 0;
    for (; r + 4 <= rows; r += 4, x += 4 * channels) {
        const float *x1 = x + channels, *x2 = x1 + channels, *x3 = x2 + channels;
        for (size_t c = 0; c < channels; c++) {
            sum[c] += (x[c] + x1[c]) + (x2[c] + x3[c]);
            squares[c] += (x[c] * x[c] + x1[c] * x1[c]) + (x2[c] * x2[c] + x3[c] * x3[c]);
        }
    }
    for (; r < rows; r++, x += channels)
        for (size_t c = 0; c < channels; c++) {
            sum[c] += x[c];
            squares[c] += x[c] * x[c];
        }
}

TARGET_CLONES void kernel_scale_rows(float *y, const float *x, const float *residual, size_t rows,
                                     size_t channels, const float *scale, const float *shift,
                                     bool relu)
{
    float floor = relu ? 0 : -INFINITY;
    for (size_t r = 0; r < rows; r++, x += channels, y += channels) {
        if (residual) {
            for (size_t c = 0; c < channels; c++) {
                float value = x[c] * scale[c] + (shift[c] + residual[c]);
                y[c] = value < floor ? floor : value;
            }
            residual += channels;
        } else {
            for (size_t c = 0; c < channels; c++) {
                float value = x[c] * scale[c] + shift[c];
                y[c] = value < floor ? floor : value;
            }
        }
    }
}

/* Sixteen partial sums, so that the loop vectorises in a fixed order. */
#define LANES 16

TARGET_CLONES void kernel_layer_norm(float *y, const float *x, size_t n, const float *weight,
                                     const float *bias, float eps)
{
    float sums[LANES] = {0}, squares[LANES] = {0}, sum = 0, square = 0;
    size_t whole = n / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            sums[l] += x[i + l];
    for (size_t i = whole; i < n; i++)
        sum += x[i];
    for (size_t l = 0; l < LANES; l++)
        sum += sums[l];
    float mean = sum / (float)n;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            squares[l] += (x[i + l] - mean) * (x[i + l] - mean);
    for (size_t i = whole; i < n; i++)
        square += (x[i] - mean) * (x[i] - mean);
    for (size_t l = 0; l < LANES; l++)
        square += squares[l];
    float factor = 1 / sqrtf(square / (float)n + eps);
    for (size_t i = 0; i < n; i++)
        y[i] = (x[i] - mean) * factor * weight[i] + bias[i];
}

/* ---- training ---- */

/* Wellons's lowbias32 */
static inline __attribute__((always_inline)) uint32_t hash(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352dU;
    x = (x ^ x >> 15) * 0x846ca68bU;
    return x ^ x >> 16;
}

TARGET_CLONES void kernel_drop(float *restrict y, const float *x, size_t n, uint32_t key,
                               uint32_t threshold, float scale)
{
    for (size_t i = 0; i < n; i++)
        y[i] = hash(key + (uint32_t)i) < threshold ? 0 : x[i] * scale;
}

TARGET_CLONES void kernel_drop_bf16(uint16_t *restrict y, const uint16_t *x, size_t n, uint32_t key,
                                    uint32_t threshold, float scale)
{
    for (size_t i = 0; i < n; i++) {
        union {
            uint32_t bits;
            float value;
        } v = {.bits = (uint32_t)x[i] << 16};
        v.value *= scale;
        uint32_t rounded = (v.bits + 0x7fff + (v.bits >> 16 & 1)) >> 16;
        y[i] = hash(key + (uint32_t)i) < threshold ? 0 : (uint16_t)rounded;
    }
}

TARGET_CLONES void kernel_sgd(float *restrict p, float *restrict v, const float *g, size_t n,
                              float momentum, float decay, float rate)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + (g[i] + decay * p[i]);
        p[i] -= rate * v[i];
    }
}

TARGET_CLONES void kernel_adamw(float *restrict p, float *restrict m, float *restrict v,
                                const float *g, size_t n, const struct adamw *how)
{
    const struct adamw h = *how;
    for (size_t i = 0; i < n; i++) {
        float kept = p[i] - h.decay * p[i];
        m[i] = h.beta1 * m[i] + h.rest1 * g[i];
        v[i] = h.beta2 * v[i] + h.rest2 * g[i] * g[i];
        p[i] = kept - h.rate * m[i] / (sqrtf(v[i]) * h.root + h.eps);
    }
}

/* ---- resampling ---- */

TARGET_CLONES void kernel_blend(float *restrict y, const float *a, const float *b, float t,
                                size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + (b[i] - a[i]) * t;
}

TARGET_CLONES void kernel_stretch_row(float *restrict to, const float *from, const int32_t *left,
                                      const int32_t *step, const float *t, size_t width,
                                      size_t channels)
{
    for (size_t x = 0; x < width; x++, to += channels) {
        const float *a = from + (size_t)left[x] * channels;
        const float *b = a + (size_t)step[x] * channels;
        float weight = t[x];
        for (size_t c = 0; c < channels; c++)
            to[c] = a[c] + (b[c] - a[c]) * weight;
    }
}

/* ---- attention ---- */

#define ROWS  4  /* of queries at a time */
#define WIDTH 32 /* keys, or elements of a value, at a time */

typedef float vector __attribute__((vector_size(64), aligned(64), may_alias));

static size_t padded(size_t n)
{
    return (n + WIDTH - 1) / WIDTH * WIDTH;
}

size_t kernel_attention_scratch(size_t n, size_t d)
{
    return padded(n) * (d + ROWS) + n * padded(d) + ROWS * padded(d) + padded(d);
}

/* to: d x padded(n), the transpose of n rows; zeros beyond. */
static void pack_keys(float *to, const float *k, size_t stride, size_t n, size_t d)
{
    size_t width = padded(n);
    memset(to, 0, d * width * sizeof *to);
    for (size_t j0 = 0; j0 < n; j0 += 16)
        for (size_t i = 0; i < d; i++)
            for (size_t j = j0; j < n && j < j0 + 16; j++)
                to[i * width + j] = k[j * stride + i];
}

static void pack_values(float *to, const float *v, size_t stride, size_t n, size_t d)
{
    size_t width = padded(d);
    for (size_t j = 0; j < n; j++) {
        memcpy(to + j * width, v + j * stride, d * sizeof *to);
        memset(to + j * width + d, 0, (width - d) * sizeof *to);
    }
}

/* c (ROWS x width) = a (ROWS rows of `depth`, a_stride apart) b (depth x width) */
static inline __attribute__((always_inline)) void
multiply(float *c, const float *a, size_t a_stride, const float *b, size_t depth, size_t width)
{
    for (size_t x = 0; x < width; x += WIDTH) {
        vector sum[ROWS][2] = {0};
        const float *column = b + x;
        for (size_t i = 0; i < depth; i++, column += width) {
            vector b0 = *(const vector *)column, b1 = *(const vector *)(column + 16);
            for (size_t r = 0; r < ROWS; r++) {
                sum[r][0] += a[r * a_stride + i] * b0;
                sum[r][1] += a[r * a_stride + i] * b1;
            }
        }
        for (size_t r = 0; r < ROWS; r++) {
            *(vector *)(c + r * width + x) = sum[r][0];
            *(vector *)(c + r * width + x + 16) = sum[r][1];
        }
    }
}

/* e^x for x <= 0, within 2 units in the last place: 2^k times a polynomial (Cephes). */
static inline __attribute__((always_inline)) float exp_negative(float x)
{
    x = x < -87.0f ? -87.0f : x;
    float k = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
    float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    union {
        int32_t bits;
        float value;
    } power = {.bits = ((int32_t)k + 127) << 23};
    return p * power.value;
}

/* Scales, masks and exponentiates a row of scores; returns 1 / their sum. */
static inline __attribute__((always_inline)) float exponentiate(float *s, size_t n, float scale,
                                                                const float *mask)
{
    float tops[LANES], sums[LANES] = {0}, top = -INFINITY, sum = 0;
    size_t whole = n / LANES * LANES;
    for (size_t l = 0; l < LANES; l++)
        tops[l] = -INFINITY;
    if (mask)
        for (size_t i = 0; i < n; i++)
            s[i] = s[i] * scale + mask[i];
    else
        for (size_t i = 0; i < n; i++)
            s[i] *= scale;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            tops[l] = s[i + l] > tops[l] ? s[i + l] : tops[l];
    for (size_t l = 0; l < LANES; l++)
        top = tops[l] > top ? tops[l] : top;
    for (size_t i = whole; i < n; i++)
        top = s[i] > top ? s[i] : top;
    for (size_t i = 0; i < n; i++)
        s[i] = exp_negative(s[i] - top);
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            sums[l] += s[i + l];
    for (size_t l = 0; l < LANES; l++)
        sum += sums[l];
    for (size_t i = whole; i < n; i++)
        sum += s[i];
    return 1 / sum;
}

TARGET_CLONES void kernel_attention(float *out, size_t out_stride, const float *q, const float *k,
                                    const float *v, size_t stride, size_t n, size_t d, float scale,
                                    const float *mask, size_t mask_stride, float *scratch)
{
    size_t keys = padded(n), width = padded(d);
    float *packed_keys = scratch, *scores = packed_keys + d * keys;
    float *packed_values = scores + ROWS * keys, *mixed = packed_values + n * width;
    pack_keys(packed_keys, k, stride, n, d);
    pack_values(packed_values, v, stride, n, d);
    for (size_t i = 0; i < n; i += ROWS) {
        size_t first = i + ROWS <= n ? i : n > ROWS ? n - ROWS : 0;
        size_t rows = n < ROWS ? n : ROWS;
        float factors[ROWS];
        multiply(scores, q + first * stride, n < ROWS ? 0 : stride, packed_keys, d, keys);
        for (size_t r = 0; r < rows; r++)
            factors[r] = exponentiate(scores + r * keys, n, scale,
                                      mask ? mask + (first + r) * mask_stride : NULL);
        multiply(mixed, scores, keys, packed_values, n, width);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < d; c++)
                out[(first + r) * out_stride + c] = mixed[r * width + c] * factors[r];
    }
}
