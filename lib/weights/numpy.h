/* One array out of a file that NumPy wrote: .npy, .npz, or a .npy that holds a dictionary, as
 * Cellpose's _seg.npy does.  Nothing in a file is executed (weights/pickle.h). */
#ifndef WEIGHTS_NUMPY_H
#define WEIGHTS_NUMPY_H

#include <stdbool.h>

#include "core/npy.h"

struct numpy_array {
    struct npy_header layout; /* its type, shape and order */
    const void *data;         /* as many bytes as the shape needs: in the file, or `memory` */
    void *memory;
};

/* Whether a file begins as such files do: 6 bytes of it, or of a zip archive, which may be
 * another one. */
bool numpy_is(const unsigned char *file, size_t size);

/* The only array of the file, whose bytes are used until numpy_close, or the first of `names`
 * (NULL after the last) that is there.  STATUS_DATA when there is none.  Ended by numpy_close,
 * also after a failure.  Reasons do not name the file. */
int numpy_open(struct numpy_array *array, const unsigned char *file, size_t size,
               const char *const *names, struct err *err) MUST_CHECK;
void numpy_close(struct numpy_array *array);

/* ---- private to lib/weights ---- */

/* Names for a message. */
struct numpy_names {
    char text[200];
    size_t length;
};
void numpy_names_add(struct numpy_names *names, const char *name, size_t length);
int numpy_absent(const struct numpy_names *names, struct err *err); /* STATUS_DATA */

/* Of a dictionary; bytes: after the header. */
int npy_object_find(struct numpy_array *array, const unsigned char *bytes, size_t size,
                    const char *const *names, struct err *err) MUST_CHECK;

#endif
