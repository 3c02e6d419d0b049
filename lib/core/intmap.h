/* A hash table from 64-bit keys to 64-bit values, for counting what is sparse:
 * labels that need not be 1, 2, 3..., pairs of labels that meet in a pixel. */
#ifndef CORE_INTMAP_H
#define CORE_INTMAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define INTMAP_NO_KEY UINT64_MAX

struct intmap {
    uint64_t *keys, *values; /* room of each; INTMAP_NO_KEY where nothing is */
    size_t count, room;      /* room is 0 or a power of two */
};

/* The value of `key`, 0 when it is new; valid until the next call.  The key may
 * not be INTMAP_NO_KEY.  NULL: out of memory.  A zeroed struct is an empty table. */
uint64_t *intmap_at(struct intmap *table, uint64_t key, struct err *err);

/* The value of a key, or 0 when it is not there. */
uint64_t intmap_get(const struct intmap *table, uint64_t key);

void intmap_free(struct intmap *table);

#endif
