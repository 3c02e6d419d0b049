/* Private to lib/image: deflate (RFC 1951) for blocks of pixels, each on its own.
 *
 * Filtered pixels of photographs are noise: looking for repeated strings in them
 * costs most of the time and makes them larger than runs alone do (on a 44
 * megapixel bright-field image: runs 0.36 s and 22.1 MB, zlib's level 6 2.3 s and
 * 24.7 MB).  Masks and labels filtered row against row, as in PNG, are runs, too
 * (a drawn mask of 24 megapixels: 0.42 MB, level 6 0.47 MB).  Only labels that
 * were not filtered so, in TIFF, have strings worth to look for. */
#ifndef IMAGE_DEFLATE_H
#define IMAGE_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct deflater;

int deflater_new(struct deflater **deflater, struct err *err) MUST_CHECK;
void deflater_free(struct deflater *deflater);

/* Compresses at most 1 GiB to a whole zlib stream (RFC 1950).  *to is borrowed until the next
 * call. */
int deflater_block(struct deflater *deflater, const void *from, size_t size, const uint8_t **to,
                   size_t *to_size, struct err *err) MUST_CHECK;

#endif
