#include "nn/kernels.h"

#include <math.h>
#include <string.h>

#include "core/target.h"

/* ---- bfloat16 ---- */

CLONES(, void, kernel_floats_from_bf16, (float *to, const uint16_t *from, size_t n), (to, from, n))
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)from[i] << 16;
        memcpy(&to[i], &bits, sizeof bits);
    }
}

CLONES(, void, kernel_bf16_from_floats, (uint16_t * to, const float *from, size_t n), (to, from, n))
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &from[i], sizeof bits);
        to[i] = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}

/* ---- normalization ---- */

CLONES(, void, kernel_moments,
       (const float *x, size_t rows, size_t channels, float *restrict sum, float *restrict squares),
       (x, rows, channels, sum, squares))
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

CLONES(, void, kernel_scale_rows,
       (float *y, const float *x, const float *residual, size_t rows, size_t channels,
        const float *scale, const float *shift, bool relu),
       (y, x, residual, rows, channels, scale, shift, relu))
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

/* Sixteen partial sums, so that the loop vectorizes in a fixed order. */
#define LANES 16

CLONES(, void, kernel_layer_norm,
       (float *y, const float *x, size_t n, const float *weight, const float *bias, float eps),
       (y, x, n, weight, bias, eps))
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

CLONES(, void, kernel_drop,
       (float *restrict y, const float *x, size_t n, uint32_t key, uint32_t threshold, float scale),
       (y, x, n, key, threshold, scale))
{
    for (size_t i = 0; i < n; i++)
        y[i] = hash(key + (uint32_t)i) < threshold ? 0 : x[i] * scale;
}

CLONES(, void, kernel_drop_bf16,
       (uint16_t *restrict y, const uint16_t *x, size_t n, uint32_t key, uint32_t threshold,
        float scale),
       (y, x, n, key, threshold, scale))
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

CLONES(, void, kernel_sgd,
       (float *restrict p, float *restrict v, const float *g, size_t n, float momentum, float decay,
        float rate),
       (p, v, g, n, momentum, decay, rate))
{
    for (size_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + (g[i] + decay * p[i]);
        p[i] -= rate * v[i];
    }
}

CLONES(, void, kernel_adamw,
       (float *restrict p, float *restrict m, float *restrict v, const float *g, size_t n,
        const struct adamw *how),
       (p, m, v, g, n, how))
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

CLONES(, void, kernel_blend, (float *restrict y, const float *a, const float *b, float t, size_t n),
       (y, a, b, t, n))
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + (b[i] - a[i]) * t;
}

CLONES(, void, kernel_stretch_row,
       (float *restrict to, const float *from, const int32_t *left, const int32_t *step,
        const float *t, size_t width, size_t channels),
       (to, from, left, step, t, width, channels))
{
    for (size_t x = 0; x < width; x++, to += channels) {
        const float *a = from + (size_t)left[x] * channels;
        const float *b = a + (size_t)step[x] * channels;
        float weight = t[x];
        for (size_t c = 0; c < channels; c++)
            to[c] = a[c] + (b[c] - a[c]) * weight;
    }
}
