/* Ranges worked on by threads: each item once, whatever the number of threads. */
#include "core/parallel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "../tap.h"

#define COUNT 10007

struct tally {
    atomic_int seen[COUNT];
    atomic_size_t longest;
    atomic_bool wrong;
};

static void count_range(void *context, size_t first, size_t last)
{
    struct tally *tally = context;
    if (last > COUNT || first >= last) {
        tally->wrong = true;
        return;
    }
    if (last - first > tally->longest)
        tally->longest = last - first;
    for (size_t i = first; i < last; i++)
        tally->seen[i]++;
}

static void test_ranges(const char *threads, size_t count, size_t grain)
{
    static struct tally tally;
    memset(&tally, 0, sizeof tally);
    setenv("OMP_NUM_THREADS", threads, 1);
    parallel_ranges(count, grain, count_range, &tally);
    bool once = !tally.wrong && tally.longest <= grain;
    for (size_t i = 0; i < COUNT; i++)
        once &= tally.seen[i] == (i < count);
    ok(once, "%zu items in ranges of %zu, at most %s threads: each once, no range longer", count,
       grain, threads);
}

int main(void)
{
    tap_plan(8);
    unsetenv("OMP_NUM_THREADS");
    int most = parallel_threads();
    ok(most >= 1 && most <= sysconf(_SC_NPROCESSORS_CONF), "threads: not more than processors");
    setenv("OMP_NUM_THREADS", "1", 1);
    is_int(parallel_threads(), 1, "OMP_NUM_THREADS=1");
    setenv("OMP_NUM_THREADS", "none", 1);
    is_int(parallel_threads(), most, "OMP_NUM_THREADS that is no number");
    test_ranges("64", COUNT, 10);
    test_ranges("1", COUNT, 10);
    test_ranges("64", 7, 100);
    test_ranges("64", 0, 100);
    test_ranges("64", COUNT, 1);
    return tap_done();
}
