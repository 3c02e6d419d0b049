// Softmax attention of one head.  The two products go by blocks of scores and values that
// fit the registers of each level of x86-64; keys and values are packed so that a block
// reads them one after the other.
#include "nn/kernels.h"

#include <algorithm>
#include <cfloat>

#include "nn/blocks.hpp"

using nn::most_rows;

namespace
{

template <size_t lanes> struct softmax : nn::level<lanes> {
    using typename nn::level<lanes>::vector;
    using typename nn::level<lanes>::integers;
    using nn::level<lanes>::panel;
    using nn::level<lanes>::padded;
    using nn::level<lanes>::load;
    using nn::level<lanes>::store;

    // c = a b for all of b's panels, `width` columns wide together.
    static INLINE void multiply(size_t rows, float *c, const float *a, size_t a_stride,
                                const float *b, size_t depth, size_t width)
    {
        size_t x = 0;
        for (; x + panel <= width; x += panel)
            softmax::template some_rows<2, false>(rows, c + x, width, a, a_stride, 1, b + x * depth,
                                                  depth);
        if (x < width)
            softmax::template some_rows<1, false>(rows, c + x, width, a, a_stride, 1, b + x * depth,
                                                  depth);
    }

    // 2^x within 2 units in the last place, for x from -125 (below it as there) to 126:
    // 2^k times a polynomial of the rest, which is least wrong in [-1/2, 1/2].
    static INLINE vector power_of_two(const vector &given)
    {
        constexpr float round = 12582912; // 1.5 x 2^23: adding it leaves a whole number
        vector x = given < -125.0f ? vector{} - 125.0f : given;
        vector moved = x + round, f = x - (moved - round);
        vector p = f * 1.327647129e-3f + 9.675540961e-3f;
        p = p * f + 5.550713092e-2f;
        p = p * f + 2.402212024e-1f;
        p = p * f + 6.931469440e-1f;
        p = p * f + 1.000000119f;
        return (vector)((integers)p + ((integers)moved << 23));
    }

    // Scores to powers of their row's largest; n of `width` count.  Returns 1 / their sum.
    static INLINE float exponentiate(float *s, size_t n, size_t width, float scale,
                                     const float *mask)
    {
        constexpr float log2_e = 1.44269504f;
        size_t whole = n / lanes * lanes, i = 0;
        vector top = vector{} - FLT_MAX, sum = {};
        for (size_t j = n; j < width; j++)
            s[j] = 0;
        for (; i < whole; i += lanes) {
            vector x = load(s + i) * (scale * log2_e);
            if (mask)
                x += load(mask + i) * log2_e;
            store(s + i, x);
            top = x > top ? x : top;
        }
        for (size_t j = i; j < width; j++) {
            s[j] = s[j] * (scale * log2_e) + (mask && j < n ? mask[j] * log2_e : 0);
            if (j >= n)
                s[j] = -FLT_MAX;
        }
        if (i < width) {
            vector x = load(s + i);
            top = x > top ? x : top;
        }
        float tops[lanes], sums[lanes], largest = -FLT_MAX, total = 0;
        store(tops, top);
        for (float x : tops)
            largest = std::max(largest, x);
        for (i = 0; i < width; i += lanes) {
            vector x = power_of_two(load(s + i) - largest);
            store(s + i, x);
            sum += x;
        }
        store(sums, sum);
        for (float x : sums)
            total += x;
        return 1 / total;
    }

    // 4 rows to 4 columns.
    static INLINE void turn(float *to, size_t to_stride, const float *from, size_t stride)
    {
        typedef typename nn::level<4>::vector four;
        four a = nn::level<4>::load(from), b = nn::level<4>::load(from + stride);
        four c = nn::level<4>::load(from + 2 * stride), d = nn::level<4>::load(from + 3 * stride);
        four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
        four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
        four ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        four cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        nn::level<4>::store(to, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
        nn::level<4>::store(to + to_stride, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
        nn::level<4>::store(to + 2 * to_stride, __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5));
        nn::level<4>::store(to + 3 * to_stride, __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7));
    }

    // The transpose of n rows of d by panels; zeros beyond n.
    static INLINE void pack_keys(float *to, const float *k, size_t stride, size_t n, size_t d)
    {
        for (size_t first = 0; first < n; first += panel) {
            size_t width = std::min(panel, padded(n) - first);
            for (size_t j = 0; j < width; j += 4) {
                size_t i = 0;
                const float *row = k + (first + j) * stride;
                for (; first + j + 4 <= n && i + 4 <= d; i += 4)
                    turn(to + i * width + j, width, row + i, stride);
                for (; i < d; i++)
                    for (size_t l = 0; l < 4; l++)
                        to[i * width + j + l] = first + j + l < n ? row[l * stride + i] : 0;
            }
            to += d * width;
        }
    }

    static INLINE void pack_values(float *to, const float *v, size_t stride, size_t n, size_t d)
    {
        for (size_t first = 0; first < d; first += panel) {
            size_t width = std::min(panel, padded(d) - first), used = std::min(width, d - first);
            for (size_t j = 0; j < n; j++, to += width)
                for (size_t x = 0; x < width; x++)
                    to[x] = x < used ? v[j * stride + first + x] : 0;
        }
    }

    static INLINE void attention(const struct kernel_head &h, float *scratch)
    {
        size_t n = h.n, d = h.d, keys = padded(n), width = padded(d);
        float *packed_keys = scratch, *packed_values = packed_keys + d * keys;
        float *scores = packed_values + n * width, *mixed = scores + most_rows * keys;
        pack_keys(packed_keys, h.k, h.stride, n, d);
        pack_values(packed_values, h.v, h.stride, n, d);
        size_t blocks = (n + most_rows - 1) / most_rows;
        for (size_t i = 0; i < blocks; i++) {
            size_t first = i * n / blocks, rows = (i + 1) * n / blocks - first;
            float factors[most_rows];
            multiply(rows, scores, h.q + first * h.stride, h.stride, packed_keys, d, keys);
            for (size_t r = 0; r < rows; r++)
                factors[r] = exponentiate(scores + r * keys, n, keys, h.scale,
                                          h.mask ? h.mask + (first + r) * h.mask_stride : nullptr);
            multiply(rows, mixed, scores, keys, packed_values, n, width);
            for (size_t r = 0; r < rows; r++)
                for (size_t c = 0; c < d; c++)
                    h.out[(first + r) * h.out_stride + c] = mixed[r * width + c] * factors[r];
        }
    }
};

AT_LANES(attention, softmax, nn::lanes_here(), (const struct kernel_head &head, float *scratch),
         (head, scratch))

} // namespace

size_t kernel_attention_scratch(size_t n, size_t d)
{
    constexpr auto padded = softmax<16>::padded; // enough for all
    return (d + most_rows) * padded(n) + (n + most_rows) * padded(d);
}

void kernel_attention(const struct kernel_head *head, float *scratch)
{
    attention(*head, scratch);
}
