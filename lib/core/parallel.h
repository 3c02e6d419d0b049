/* One piece of work, cut in ranges that threads take one after another. */
#ifndef CORE_PARALLEL_H
#define CORE_PARALLEL_H

#include <pthread.h>
#include <stddef.h>

/* Does items first to last - 1; called by many threads at once. */
typedef void parallel_body(void *context, size_t first, size_t last);

/* Starts a thread that leaves signals to the others; 0, or an error's number. */
int parallel_start(pthread_t *thread, void *(*run)(void *), void *argument);

/* Threads to work with: processors that this process may use, at most OMP_NUM_THREADS where that
 * is set to a number, as OpenMP has it.  For tests; parallel_ranges asks by itself. */
int parallel_threads(void);

/* Calls body on ranges of at most `grain` items that make up 0 to count - 1, each once, by
 * parallel_threads() threads, the caller among them; returns when all is done.  Threads that
 * cannot be started leave their work to the others. */
void parallel_ranges(size_t count, size_t grain, parallel_body *body, void *context);

#endif
