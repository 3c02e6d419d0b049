/* Text of Windows' programs. */
#ifndef ANNOT_UTF16_H
#define ANNOT_UTF16_H

#include <stddef.h>

#include "core/err.h"

/* Text that begins with a byte order mark of UTF-16, as UTF-8 in new memory; *text is NULL
 * for any other.  STATUS_DATA for halves of characters. */
int utf16_decode(const void *bytes, size_t size, char **text, size_t *text_size,
                 struct err *err) MUST_CHECK;

/* A character (Unicode's number) as UTF-8: how many bytes, at most 4. */
int utf8_encode(char to[4], unsigned code);

#endif
