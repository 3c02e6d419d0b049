#include "core/intmap.h"

#include <stdlib.h>
#include <string.h>

/* The finalizer of splitmix64 spreads keys that lie close together. */
static uint64_t hash(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static size_t find(const struct intmap *t, uint64_t key)
{
    size_t i = hash(key) & (t->room - 1);
    while (t->keys[i] != key && t->keys[i] != INTMAP_NO_KEY)
        i = (i + 1) & (t->room - 1);
    return i;
}

static int grow(struct intmap *t, struct err *err)
{
    struct intmap bigger = {.room = t->room ? 2 * t->room : 256, .count = t->count};
    bigger.keys = malloc(bigger.room * sizeof *bigger.keys);
    bigger.values = calloc(bigger.room, sizeof *bigger.values);
    if (!bigger.keys || !bigger.values) {
        intmap_free(&bigger);
        return err_memory(err, "a table of labels");
    }
    memset(bigger.keys, 0xff, bigger.room * sizeof *bigger.keys);
    for (size_t i = 0; i < t->room; i++) {
        if (t->keys[i] == INTMAP_NO_KEY)
            continue;
        size_t to = find(&bigger, t->keys[i]);
        bigger.keys[to] = t->keys[i];
        bigger.values[to] = t->values[i];
    }
    intmap_free(t);
    *t = bigger;
    return 0;
}

uint64_t *intmap_at(struct intmap *table, uint64_t key, struct err *err)
{
    if (2 * table->count >= table->room && grow(table, err))
        return NULL;
    size_t i = find(table, key);
    if (table->keys[i] == INTMAP_NO_KEY) {
        table->keys[i] = key;
        table->values[i] = 0;
        table->count++;
    }
    return &table->values[i];
}

uint64_t intmap_get(const struct intmap *table, uint64_t key)
{
    if (table->room == 0)
        return 0;
    size_t i = find(table, key);
    return table->keys[i] == key ? table->values[i] : 0;
}

void intmap_free(struct intmap *table)
{
    free(table->keys);
    free(table->values);
    *table = (struct intmap){0};
}
