/* A hot function that is compiled once for each level of core/cpu.h, and called by the
 * processor's:
 *
 *     CLONES(static, void, add_row, (float *sum, const float *row, size_t n), (sum, row, n))
 *     {
 *         for (size_t i = 0; i < n; i++)
 *             sum[i] += row[i];
 *     }
 *
 * The choice is ours and not a resolver's of the compiler, so that MORPHOSEG_ISA holds
 * for it, and clang and the sanitizers have the clones too. */
#ifndef CORE_TARGET_H
#define CORE_TARGET_H

#include "core/cpu.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define CLONE_(level, type, name, parameters, arguments)                                           \
    __attribute__((target("arch=" level), noinline)) static type name parameters                   \
    {                                                                                              \
        return arguments;                                                                          \
    }
#define CLONES(linkage, type, name, parameters, arguments)                                         \
    ALWAYS_INLINE type name##_anywhere parameters;                                                 \
    CLONE_("x86-64-v4", type, name##_avx512, parameters, name##_anywhere arguments)                \
    CLONE_("x86-64-v3", type, name##_avx2, parameters, name##_anywhere arguments)                  \
    linkage type name parameters                                                                   \
    {                                                                                              \
        if (cpu_level() >= CPU_AVX512)                                                             \
            return name##_avx512 arguments;                                                        \
        if (cpu_level() >= CPU_AVX2)                                                               \
            return name##_avx2 arguments;                                                          \
        return name##_anywhere arguments;                                                          \
    }                                                                                              \
    ALWAYS_INLINE type name##_anywhere parameters
#else
#define CLONES(linkage, type, name, parameters, arguments) linkage type name parameters
#endif

#endif
