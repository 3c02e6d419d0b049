/* A hash table from 64-bit keys to 64-bit values, for counting what is sparse:
 * labels that need not be 1, 2, 3..., pairs of labels that meet in a pixel. */
#ifndef OPS_TABLE_H
#define OPS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define TABLE_NO_KEY UINT64_MAX

struct table {
    uint64_t *keys, *values; /* room of each; TABLE_NO_KEY where nothing is */
    size_t count, room;      /* room is 0 or a power of two */
};

/* The value of `key`, 0 when it is new; valid until the next call.  The key may
 * not be TABLE_NO_KEY.  NULL: out of memory.  A zeroed struct is an empty table. */
uint64_t *table_at(struct table *table, uint64_t key, struct err *err);

/* The value of a key, or 0 when it is not there. */
uint64_t table_get(const struct table *table, uint64_t key);

void table_free(struct table *table);

#endif
