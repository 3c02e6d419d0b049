/* Kernels are tried at every level of this processor that has some of its own. */
#ifndef TESTS_LEVELS_H
#define TESTS_LEVELS_H

#include "core/cpu.h"
#include "tests/tap.h"

/* `failures` says how many of its checks failed. */
__attribute__((unused)) static void ok_at_levels(int (*failures)(void), const char *name)
{
    enum cpu_level here = cpu_level();
    for (int level = CPU_BASE; level <= CPU_AVX512; level++) {
        const char *of = cpu_level_name((enum cpu_level)level);
        cpu_known_level = level;
        if (level <= (int)here)
            is_int(failures(), 0, name);
        else
            ok(true, "%s # SKIP no %s", name, of);
        printf("# %s\n", of);
    }
    cpu_known_level = (int)here;
}

#endif
