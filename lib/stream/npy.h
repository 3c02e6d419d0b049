/* NumPy's .npy format, versions 1.0 to 3.0 (numpy.lib.format), in memory.
 * Numbers only: the strict header reader knows three keys, no expressions, no
 * objects, and at most NPY_MAX_HEADER bytes. */
#ifndef STREAM_NPY_H
#define STREAM_NPY_H

#include <stddef.h>

#include "core/array.h"

#define NPY_MAX_HEADER 10000 /* NumPy's own limit */

/* Takes the `size` bytes of a file at `file`, from malloc or aligned_alloc and
 * aligned to 64 bytes, and makes them an array whose memory is `file`: the
 * elements are used where they lie, moved within the file when they are not
 * aligned to 64 bytes, brought to this machine's order when they are big-endian,
 * and copied into new memory when they are in Fortran order.  The array owns
 * `file` on success; on failure it stays the caller's. */
int npy_adopt(struct array *array, unsigned char *file, size_t size, struct err *err) MUST_CHECK;

/* Bytes before the elements in the file that holds such an array: a multiple of
 * 64, at most NPY_HEADER_ROOM. */
#define NPY_HEADER_ROOM 512
size_t npy_header_size(const struct array *array);

/* Writes them, version 1.0, little-endian, C order.  STATUS_BUG for bfloat16,
 * which NumPy does not have. */
int npy_write_header(unsigned char *header, const struct array *array, struct err *err) MUST_CHECK;

#endif
