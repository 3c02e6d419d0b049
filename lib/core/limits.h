/* How much an input may claim before its bytes prove it: asked before anything of that
 * size is allocated or written. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include <stdint.h>

#include "core/err.h"

/* What the user allows; programs read their option --max-pixels into it. */
extern struct limits {
    int64_t max_pixels; /* of an image; 0: as many as half of memory has bytes */
} limits;

/* STATUS_DATA with "N x M pixels are more than L, the limit (--max-pixels)" and the like.
 * what: for the message, "a mask of coco.json". */
int limits_check_pixels(int64_t width, int64_t height, struct err *err) MUST_CHECK;
int limits_check_memory(uint64_t bytes, const char *what, struct err *err) MUST_CHECK;

#endif
