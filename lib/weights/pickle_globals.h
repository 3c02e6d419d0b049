/* Which of Python's names a pickle may mention, and what applying each makes here.  A
 * private header of lib/weights. */
#ifndef WEIGHTS_PICKLE_GLOBALS_H
#define WEIGHTS_PICKLE_GLOBALS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/array.h"

enum role {
    MAKES_STORAGE, /* the class of a storage */
    MAKES_TENSOR,
    MAKES_PARAMETER,
    MAKES_SUBCLASS, /* a tensor by way of another role */
    MAKES_DICT,
    MAKES_SEQUENCE,
    MAKES_BYTES,
    MAKES_DTYPE,
    MAKES_ARRAY,
    MAKES_SCALAR,
    MAKES_OBJECT,   /* something of which nothing is kept */
    MAKES_INSTANCE, /* the same of a class, by NEWOBJ alone */
    IS_NAME,        /* may be mentioned, not applied */
};

struct pickle_global {
    const char *module, *name;
    enum role role;
    enum dtype dtype; /* of a storage */
};

/* The entry of MODULE.NAME; borrowed.  Nothing is ever run here, so names that stand beside
 * the weights of a training run (dates, paths, counters, a program's own classes) are
 * harmless and give MAKES_OBJECT or MAKES_INSTANCE.  NULL for a name by which Python would
 * start a program, open a file or reach further names: a file that has one is not to be
 * trusted with other readers. */
const struct pickle_global *pickle_global_find(const char *module, size_t module_length,
                                               const char *name, size_t name_length);

/* Whether `length` bytes of `text` are `expected`. */
bool pickle_text_is(const char *text, size_t length, const char *expected);

#endif
