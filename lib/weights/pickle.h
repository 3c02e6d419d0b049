/* The part of Python's pickle that PyTorch checkpoints and NumPy's object arrays need
 * (protocols 2 to 5, as pickletools.py describes them), read into plain values.  Nothing is
 * executed: a global is an entry of a short table (pickle_globals.h), and applying it makes
 * a value of our own, or one that says nothing, or is an error.
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
    PICKLE_OPAQUE, /* None, and what tensors do not depend on */
    PICKLE_OBJECT, /* an instance of some class, of which nothing is kept */
    PICKLE_REAL,
    PICKLE_INTEGER,
    PICKLE_LONG,   /* an integer of more than 8 bytes */
    PICKLE_TEXT,   /* also bytes */
    PICKLE_LATIN1, /* bytes written as the characters of a text in UTF-8 */
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_GLOBAL,
    PICKLE_STORAGE,
    PICKLE_TENSOR,
    PICKLE_DTYPE,  /* NumPy's element type */
    PICKLE_ARRAY,  /* NumPy's array */
    PICKLE_SCALAR, /* and one element */
};

struct pickle_value {
    enum pickle_kind kind;
    union {
        int64_t integer;
        double real;
        struct {
            const char *bytes; /* in the pickle, not terminated */
            size_t length;
        } text; /* also PICKLE_LATIN1, and PICKLE_LONG: little-endian two's complement */
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
        struct {
            const struct pickle_value *code, *order; /* PICKLE_TEXT: "f4", "<"; order may be NULL */
        } dtype;
        struct {
            const struct pickle_value *shape;   /* PICKLE_TUPLE; NULL for a PICKLE_SCALAR */
            const struct pickle_value *dtype;   /* PICKLE_DTYPE; NULL when nothing is known */
            const struct pickle_value *fortran; /* PICKLE_INTEGER; NULL for a PICKLE_SCALAR */
            const struct pickle_value *data;    /* bytes, or PICKLE_LIST of objects */
        } array;
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

/* The sizes of a shape or stride: how many there are, at most ARRAY_MAX_DIMS, else -1 with
 * STATUS_DATA; `otherwise` is the message when an item is not a size. */
int pickle_sizes(const struct pickle_value *list, size_t sizes[ARRAY_MAX_DIMS],
                 const char *otherwise, struct err *err) MUST_CHECK;

/* Every value once, in no order; NULL after the last. */
struct pickle_walk {
    const struct pickle_block *block;
    size_t next;
};
struct pickle_walk pickle_walk(const struct pickle *pickle);
const struct pickle_value *pickle_next(struct pickle_walk *walk);

#endif
