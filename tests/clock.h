/* Clocks, of clock_gettime(2). */
#ifndef TESTS_CLOCK_H
#define TESTS_CLOCK_H

#include <time.h>

static inline double milliseconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

/* Of all threads of this process: other work on the machine hardly shows. */
static inline double work_milliseconds(void)
{
    return milliseconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

static inline double wall_milliseconds(void)
{
    return milliseconds_of(CLOCK_MONOTONIC);
}

#endif
