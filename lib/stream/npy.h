/* Members of streams that are .npy files become arrays without a copy. */
#ifndef STREAM_NPY_H
#define STREAM_NPY_H

#include <stddef.h>

#include "core/array.h"

/* Takes the `size` bytes of an .npy file at `file`, from malloc or aligned_alloc and
 * aligned to 64 bytes, and makes them an array whose memory is `file`: the
 * elements are used where they lie, moved within the file when they are not
 * aligned to 64 bytes, brought to this machine's order when they are big-endian,
 * and copied into new memory when they are in Fortran order.  Objects are refused.
 * The array owns `file` on success; on failure it stays the caller's. */
int npy_adopt(struct array *array, unsigned char *file, size_t size, struct err *err) MUST_CHECK;

#endif
