/* What the processor can do, limits to it, and clones that are chosen by it. */
#include "core/cpu.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/target.h"
#include "tests/tap.h"

static const char *const names[] = {"sse4", "avx2", "avx512", "avx512bf16"};

/* What a new process finds under this limit; NULL: none. */
static int level_under(const char *limit)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        cpu_known_level = -1;
        if (limit ? setenv("MORPHOSEG_ISA", limit, 1) : unsetenv("MORPHOSEG_ISA"))
            _exit(99);
        _exit((int)cpu_level());
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : 99;
}

static void test_levels(void)
{
    int best = level_under(NULL);
    ok(best <= CPU_AVX512_BF16, "this processor has %s", cpu_level_name((enum cpu_level)best));
#if defined(__x86_64__)
    ok(!!__builtin_cpu_supports("avx2") == (best >= CPU_AVX2), "the compiler says so of AVX2");
    ok(!!__builtin_cpu_supports("avx512bw") == (best >= CPU_AVX512), "and of AVX-512");
    for (int i = 0; i < 4; i++)
        ok(strcmp(cpu_level_name((enum cpu_level)i), names[i]) == 0, "%s", names[i]);
#endif
    for (int i = 0; i < 4; i++)
        is_int(level_under(names[i]), i < best ? i : best, "at most that");
    is_int(level_under("none"), best, "a limit of no name is none");
    ok(cpu_has_bf16() == (cpu_level() == CPU_AVX512_BF16), "bfloat16 is the last level");
}

static void test_check(void)
{
    struct err err;
    const char *before = getenv("MORPHOSEG_ISA");
    char *kept = before ? strdup(before) : NULL;
    setenv("MORPHOSEG_ISA", "avx2", 1);
    ok(!cpu_check_limit(&err), "a limit");
    setenv("MORPHOSEG_ISA", "", 1);
    ok(!cpu_check_limit(&err), "an empty one");
    setenv("MORPHOSEG_ISA", "avx3", 1);
    ok(cpu_check_limit(&err) && err.status == STATUS_USAGE, "%s", err.message);
    if (kept)
        setenv("MORPHOSEG_ISA", kept, 1);
    else
        unsetenv("MORPHOSEG_ISA");
    free(kept);
}

CLONES(static, int, halve, (int32_t * to, const int32_t *from, int n), (to, from, n))
{
    for (int i = 0; i < n; i++)
        to[i] = from[i] / 2;
    return n;
}

static void test_clones(void)
{
    int32_t from[37], to[37] = {0};
    bool same = true;
    for (int i = 0; i < 37; i++)
        from[i] = 7 * i - 100;
    is_int(halve(to, from, 37), 37, "a clone gives its result");
    for (int i = 0; i < 37; i++)
        same = same && to[i] == from[i] / 2;
    ok(same, "and did its work");
#if defined(__x86_64__)
    for (int level = CPU_BASE; level <= CPU_AVX512; level++) {
        if (level > (int)cpu_level()) {
            tap_skip("not on this processor");
            continue;
        }
        memset(to, 0, sizeof to);
        int (*const clones[])(int32_t *, const int32_t *, int) = {halve, halve_avx2, halve_avx512};
        clones[level](to, from, 37);
        for (int i = 0; i < 37; i++)
            same = same && to[i] == from[i] / 2;
        ok(same, "the clone for %s", names[level]);
    }
#endif
}

int main(void)
{
#if defined(__x86_64__)
    tap_plan(21);
#else
    tap_plan(12);
#endif
    test_levels();
    test_check();
    test_clones();
    return tap_done();
}
