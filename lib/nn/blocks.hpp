// Vectors of a level of the processor, and products of matrices by blocks that fit its
// registers.  All is inlined into functions that are compiled for the level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#define INLINE inline __attribute__((always_inline))

// Vectors are passed between functions that are always inlined: no ABI is concerned.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace nn
{

// With two vectors of columns twelve sums, two operands and a factor, where there are
// sixteen registers.
constexpr size_t most_rows = 6;

template <size_t lanes> struct level {
    typedef float vector __attribute__((vector_size(lanes * sizeof(float))));
    typedef int32_t integers __attribute__((vector_size(lanes * sizeof(float))));
    static constexpr size_t panel = 2 * lanes; // columns that lie together

    static constexpr size_t padded(size_t n)
    {
        return (n + lanes - 1) / lanes * lanes;
    }

    static INLINE vector load(const float *from)
    {
        vector v;
        memcpy(&v, from, sizeof v);
        return v;
    }

    static INLINE void store(float *to, const vector &v)
    {
        memcpy(to, &v, sizeof v);
    }

    // c = a b, or c += a b: `rows` x (vectors x lanes).  a's rows are a_stride apart;
    // b's follow each other.
    template <size_t rows, size_t vectors, bool onto>
    static INLINE void block(float *c, size_t c_stride, const float *a, size_t a_stride,
                             const float *b, size_t depth)
    {
        vector sum[rows][vectors] = {};
        for (size_t i = 0; i < depth; i++, b += vectors * lanes) {
            vector column[vectors];
            for (size_t x = 0; x < vectors; x++)
                column[x] = load(b + x * lanes);
            for (size_t r = 0; r < rows; r++)
                for (size_t x = 0; x < vectors; x++)
                    sum[r][x] += a[r * a_stride + i] * column[x];
        }
        for (size_t r = 0; r < rows; r++)
            for (size_t x = 0; x < vectors; x++) {
                float *to = c + r * c_stride + x * lanes;
                store(to, onto ? load(to) + sum[r][x] : sum[r][x]);
            }
    }

    // The same for 1 to most_rows rows.
    template <size_t vectors, bool onto>
    static INLINE void some_rows(size_t rows, float *c, size_t c_stride, const float *a,
                                 size_t a_stride, const float *b, size_t depth)
    {
        switch (rows) {
        case 1:
            return block<1, vectors, onto>(c, c_stride, a, a_stride, b, depth);
        case 2:
            return block<2, vectors, onto>(c, c_stride, a, a_stride, b, depth);
        case 3:
            return block<3, vectors, onto>(c, c_stride, a, a_stride, b, depth);
        case 4:
            return block<4, vectors, onto>(c, c_stride, a, a_stride, b, depth);
        case 5:
            return block<5, vectors, onto>(c, c_stride, a, a_stride, b, depth);
        default:
            return block<6, vectors, onto>(c, c_stride, a, a_stride, b, depth);
        }
    }
};

// Rows in blocks of nearly the same height: f(first, rows), for all of n.
template <class F> INLINE void for_blocks(size_t n, F f)
{
    size_t blocks = (n + most_rows - 1) / most_rows;
    for (size_t i = 0; i < blocks; i++) {
        size_t first = i * n / blocks;
        f(first, (i + 1) * n / blocks - first);
    }
}

} // namespace nn
