/* Work done ahead in background threads and handed over in order: the products
 * 0, 1, 2, ... are made by any thread, taken one after another. */
#ifndef CORE_PREFETCH_H
#define CORE_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct prefetch;

/* Makes product `number` in `slot` (of slot_size bytes, which keeps what an
 * earlier product left there; zero at first).  Called by many threads at once. */
typedef int prefetch_make(void *context, uint64_t number, int thread, void *slot, struct err *err);

/* Starts `threads` threads over `slots` slots (more than threads), beginning with
 * product `first`, up to but without `end`.  The caller ends it with prefetch_stop. */
int prefetch_start(struct prefetch **prefetch, int threads, int slots, size_t slot_size,
                   uint64_t first, uint64_t end, prefetch_make *make, void *context,
                   struct err *err) MUST_CHECK;

/* The next product; NULL with *err set when making it failed, NULL with err->status
 * STATUS_OK after the last.  It is the caller's until prefetch_done. */
void *prefetch_take(struct prefetch *prefetch, struct err *err);
void prefetch_done(struct prefetch *prefetch);

/* Waits for the threads; NULL is fine.  `drop` (may be NULL) sees every slot. */
void prefetch_stop(struct prefetch *prefetch, void (*drop)(void *slot));

#endif
