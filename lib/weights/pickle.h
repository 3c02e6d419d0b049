/* The part of Python's pickle that PyTorch checkpoints need (protocols 2 to 5,
 * as pickletools.py describes them), read into plain values.  Nothing is
 * executed: a global is an entry of a short table, and applying it makes a value
 * of our own or is an error.
 *
 * Values can share parts and can contain themselves: whoever walks them limits
 * depth and steps. */
#ifndef WEIGHTS_PICKLE_H
#define WEIGHTS_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/array.h"
#include "core/err.h"

enum pickle_kind {
    PICKLE_OPAQUE, /* None, floats, and what tensors do not depend on */
    PICKLE_INTEGER,
    PICKLE_LONG, /* an integer of more than 8 bytes */
    PICKLE_TEXT,
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_GLOBAL,
    PICKLE_STORAGE,
    PICKLE_TENSOR,
};

struct pickle_value {
    enum pickle_kind kind;
    union {
        int64_t integer;
        struct {
            const char *bytes; /* in the pickle, not terminated */
            size_t length;
        } text; /* also PICKLE_LONG: little-endian two's complement */
        struct {
            struct pickle_value **items; /* of a dictionary: key, value, key, value, ... */
            size_t count, capacity;
        } list; /* also PICKLE_TUPLE and PICKLE_DICT */
        const struct pickle_global *global;
        struct {
            enum dtype dtype;
            const struct pickle_value *key; /* PICKLE_TEXT */
            size_t count;                   /* elements */
        } storage;
        struct {
            const struct pickle_value *storage; /* PICKLE_STORAGE */
            const struct pickle_value *offset;  /* PICKLE_INTEGER, in elements */
            const struct pickle_value *size, *stride;
        } tensor;
    } as;
};

struct pickle {
    struct pickle_block *blocks;
    size_t value_count;
    struct pickle_value *root;
    size_t size; /* bytes read, up to and with the STOP */
};

/* Reads one pickle from the front of `bytes`, which must outlive it.  Freed with
 * pickle_free when this succeeded. */
int pickle_read(struct pickle *pickle, const unsigned char *bytes, size_t size,
                struct err *err) MUST_CHECK;
void pickle_free(struct pickle *pickle);

/* Every value once, in no order; NULL after the last. */
struct pickle_walk {
    const struct pickle_block *block;
    size_t next;
};
struct pickle_walk pickle_walk(const struct pickle *pickle);
const struct pickle_value *pickle_next(struct pickle_walk *walk);

#endif
