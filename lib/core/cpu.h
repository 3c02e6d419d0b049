/* What the processor can do: the one place that knows, for programs, kernels and tests.
 *
 * The levels are those that kernels are written for; each holds the ones before it.
 * MORPHOSEG_ISA=LEVEL makes the processor seem no better than that, so that the code of
 * a lesser one can be tried and timed. */
#ifndef CORE_CPU_H
#define CORE_CPU_H

#include <stdbool.h>

#include "core/err.h"

#ifdef __cplusplus
extern "C" {
#endif

enum cpu_level {
    CPU_BASE,        /* what the compiler was told: SSE2 on x86-64, NEON on arm64 */
    CPU_AVX2,        /* x86-64-v3: AVX2, FMA, F16C, BMI */
    CPU_AVX512,      /* x86-64-v4: AVX-512 F, BW, CD, DQ, VL */
    CPU_AVX512_BF16, /* and AVX512_BF16: products of bfloat16 */
};

extern int cpu_known_level; /* -1 until it was looked for */
enum cpu_level cpu_find_level(void);

/* The best level that is there and allowed; the same in every call. */
static inline enum cpu_level cpu_level(void)
{
    int level = __atomic_load_n(&cpu_known_level, __ATOMIC_RELAXED);
    return level >= 0 ? (enum cpu_level)level : cpu_find_level();
}

/* As MORPHOSEG_ISA takes it: sse4, avx2, avx512, avx512bf16.  Borrowed. */
const char *cpu_level_name(enum cpu_level level);
/* An instruction for CRC-32C: of SSE4.2, or of arm64's CRC extension. */
bool cpu_has_crc32c(void);
/* Products of bfloat16 have instructions, and so are quicker than those of float32. */
bool cpu_has_bf16(void);

/* STATUS_USAGE when MORPHOSEG_ISA is set to something else than a level's name. */
int cpu_check_limit(struct err *err) MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
