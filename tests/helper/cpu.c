/* cpu: prints the level of core/cpu.h that the processor has, or MORPHOSEG_ISA allows. */
#include <stdio.h>

#include "core/cpu.h"

int main(void)
{
    return puts(cpu_level_name(cpu_level())) < 0;
}
