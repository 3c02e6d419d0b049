#include "core/cpu.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

static const char *const names[] = {"sse4", "avx2", "avx512", "avx512bf16"};

/* Index of a level's name, -1 for another text. */
static int find_name(const char *text)
{
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return -1;
}

#if defined(__x86_64__)

/* Bits of the registers that cpuid fills: Intel's manual, volume 2, CPUID. */
enum {
    LEAF1_ECX_SSE42 = 1 << 20,
    LEAF1_ECX = 1 << 12 | 1 << 22 | 1 << 27 | 1 << 29, /* FMA, MOVBE, OSXSAVE, F16C */
    LEAF7_EBX_AVX2 = 1 << 3 | 1 << 5 | 1 << 8,         /* BMI1, AVX2, BMI2 */
    LEAF81_ECX = 1 << 5,                               /* LZCNT */
    LEAF7_EBX_AVX512 = 1 << 16 | 1 << 17 | 1 << 28 | 1 << 30 | (int)(1U << 31), /* F DQ CD BW VL */
    LEAF71_EAX_BF16 = 1 << 5,
    XCR0_AVX = 0x06,    /* what the system saves: SSE and AVX registers */
    XCR0_AVX512 = 0xe6, /* and those of AVX-512 */
};

static bool has(unsigned bits, int wanted)
{
    return (bits & (unsigned)wanted) == (unsigned)wanted;
}

static unsigned saved_registers(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static enum cpu_level processor_level(void)
{
    unsigned a, b, c, d, seven, extended;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, LEAF1_ECX))
        return CPU_BASE;
    unsigned saved = saved_registers();
    if (!__get_cpuid(0x80000001, &a, &b, &extended, &d) || !has(extended, LEAF81_ECX) ||
        !__get_cpuid_count(7, 0, &a, &seven, &c, &d) || !has(seven, LEAF7_EBX_AVX2) ||
        !has(saved, XCR0_AVX))
        return CPU_BASE;
    if (!has(seven, LEAF7_EBX_AVX512) || !has(saved, XCR0_AVX512))
        return CPU_AVX2;
    bool bf16 = a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && has(a, LEAF71_EAX_BF16);
    return bf16 ? CPU_AVX512_BF16 : CPU_AVX512;
}

#else

static enum cpu_level processor_level(void)
{
    return CPU_BASE;
}

#endif

static enum cpu_level limit_level(enum cpu_level level)
{
    const char *limit = getenv("MORPHOSEG_ISA");
    int at = limit ? find_name(limit) : -1;
    return at >= 0 && at < (int)level ? (enum cpu_level)at : level;
}

int cpu_known_level = -1;

/* Every thread finds the same. */
enum cpu_level cpu_find_level(void)
{
    enum cpu_level level = limit_level(processor_level());
    __atomic_store_n(&cpu_known_level, (int)level, __ATOMIC_RELAXED);
    return level;
}

const char *cpu_level_name(enum cpu_level level)
{
#if !defined(__x86_64__)
    if (level == CPU_BASE)
        return "base";
#endif
    return names[level];
}

bool cpu_has_crc32c(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && has(c, LEAF1_ECX_SSE42);
#elif defined(__aarch64__) && defined(__linux__)
    return getauxval(AT_HWCAP) & HWCAP_CRC32;
#else
    return false;
#endif
}

bool cpu_has_bf16(void)
{
    return cpu_level() >= CPU_AVX512_BF16;
}

int cpu_check_limit(struct err *err)
{
    const char *limit = getenv("MORPHOSEG_ISA");
    if (!limit || !*limit || find_name(limit) >= 0)
        return 0;
    return err_set(err, STATUS_USAGE, "MORPHOSEG_ISA='%s' is none of %s, %s, %s, %s", limit,
                   names[0], names[1], names[2], names[3]);
}
