// Vectors of a level of the processor, and products of matrices by blocks that fit its
// registers.  All is inlined into functions that are compiled for the level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/cpu.h"

#define INLINE inline __attribute__((always_inline))

// Vectors are passed between functions that are always inlined: no ABI is concerned.
#pragma GCC diagnostic ignored "-Wpsabi"

// f(parameters) calls of<lanes>::f, compiled for vectors of so many floats, at most the
// processor's: lanes_here(), or fewer.
#if defined(__x86_64__)
#define AT_LANES(f, of, lanes, parameters, arguments)                                              \
    __attribute__((target("arch=x86-64-v4"), noinline)) static void f##_avx512 parameters          \
    {                                                                                              \
        of<16>::f arguments;                                                                       \
    }                                                                                              \
    __attribute__((target("arch=x86-64-v3"), noinline)) static void f##_avx2 parameters            \
    {                                                                                              \
        of<8>::f arguments;                                                                        \
    }                                                                                              \
    static void f parameters                                                                       \
    {                                                                                              \
        size_t wanted = lanes;                                                                     \
        if (wanted == 16)                                                                          \
            return f##_avx512 arguments;                                                           \
        if (wanted == 8)                                                                           \
            return f##_avx2 arguments;                                                             \
        of<4>::f arguments;                                                                        \
    }
#else
#define AT_LANES(f, of, lanes, parameters, arguments)                                              \
    static void f parameters                                                                       \
    {                                                                                              \
        of<4>::f arguments;                                                                        \
    }
#endif

namespace nn
{

inline size_t lanes_here()
{
#if defined(__x86_64__)
    if (cpu_level() >= CPU_AVX2)
        return cpu_level() >= CPU_AVX512 ? 16 : 8;
#endif
    return 4;
}

constexpr size_t ceil_of(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

// With two vectors of columns twelve sums, two operands and a factor, where there are
// sixteen registers.
constexpr size_t most_rows = 6;

template <size_t lanes> struct level {
    typedef float vector __attribute__((vector_size(lanes * sizeof(float))));
    typedef int32_t integers __attribute__((vector_size(lanes * sizeof(float))));
    static constexpr size_t panel = 2 * lanes; // columns that lie together

    static constexpr size_t padded(size_t n)
    {
        return ceil_of(n, lanes) * lanes;
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

    // c = a b, or c += a b: `rows` x (vectors x lanes).  a's rows are a_stride apart, its
    // columns a_step; b's rows follow each other.
    template <size_t rows, size_t vectors, bool onto>
    static INLINE void block(float *c, size_t c_stride, const float *a, size_t a_stride,
                             size_t a_step, const float *b, size_t depth)
    {
        vector sum[rows][vectors] = {};
        for (size_t i = 0; i < depth; i++, b += vectors * lanes) {
            vector column[vectors];
            for (size_t x = 0; x < vectors; x++)
                column[x] = load(b + x * lanes);
            for (size_t r = 0; r < rows; r++)
                for (size_t x = 0; x < vectors; x++)
                    sum[r][x] += a[r * a_stride + i * a_step] * column[x];
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
                                 size_t a_stride, size_t a_step, const float *b, size_t depth)
    {
        switch (rows) {
        case 1:
            return block<1, vectors, onto>(c, c_stride, a, a_stride, a_step, b, depth);
        case 2:
            return block<2, vectors, onto>(c, c_stride, a, a_stride, a_step, b, depth);
        case 3:
            return block<3, vectors, onto>(c, c_stride, a, a_stride, a_step, b, depth);
        case 4:
            return block<4, vectors, onto>(c, c_stride, a, a_stride, a_step, b, depth);
        case 5:
            return block<5, vectors, onto>(c, c_stride, a, a_stride, a_step, b, depth);
        default:
            return block<6, vectors, onto>(c, c_stride, a, a_stride, a_step, b, depth);
        }
    }
};

} // namespace nn
