/* How much an input may claim before its bytes prove it: asked before anything of that
 * size is allocated or written. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* What the user allows; programs read their option --max-pixels into it. */
extern struct limits {
    int64_t max_pixels; /* of an image; 0: as many as half of memory has bytes */
} limits;

/* Bytes of memory that what an input claims may take: half of what this process can have,
 * the machine's memory or less where a control group or setrlimit(2) says so. */
uint64_t limits_memory(void);

/* STATUS_DATA with "N x M pixels are more than L, the limit (--max-pixels)" and the like.
 * what: for the message, "a mask of coco.json". */
int limits_check_pixels(int64_t width, int64_t height, struct err *err) MUST_CHECK;
int limits_check_memory(uint64_t bytes, const char *what, struct err *err) MUST_CHECK;

/* Both, of an image file that is read whole into memory, `bytes` a pixel: 0 where they lie in a
 * temporary file.  "read 'PATH': " stands before the message. */
int limits_check_file(const char *path, int64_t width, int64_t height, size_t bytes,
                      struct err *err) MUST_CHECK;

#endif
