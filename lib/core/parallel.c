#define _GNU_SOURCE /* CPU_COUNT */
#include "core/parallel.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MOST 64 /* threads */

struct work {
    size_t count, grain;
    parallel_body *body;
    void *context;
    atomic_size_t next;
};

int parallel_threads(void)
{
    cpu_set_t set;
    int threads = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const char *text = getenv("OMP_NUM_THREADS");
    long limit = text ? strtol(text, NULL, 10) : 0;
    threads = limit > 0 && limit < threads ? (int)limit : threads;
    return threads > MOST ? MOST : threads;
}

static void *take_ranges(void *argument)
{
    struct work *work = argument;
    size_t first;
    while ((first = atomic_fetch_add(&work->next, work->grain)) < work->count) {
        size_t left = work->count - first;
        work->body(work->context, first, first + (left < work->grain ? left : work->grain));
    }
    return NULL;
}

int parallel_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

void parallel_ranges(size_t count, size_t grain, parallel_body *body, void *context)
{
    struct work work = {.count = count, .grain = grain, .body = body, .context = context};
    pthread_t threads[MOST];
    size_t ranges = count / grain + (count % grain > 0);
    int wanted = parallel_threads() - 1;
    if ((size_t)wanted >= ranges)
        wanted = ranges > 0 ? (int)ranges - 1 : 0;
    int started = 0;
    while (started < wanted && parallel_start(&threads[started], take_ranges, &work) == 0)
        started++;
    take_ranges(&work);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}
