/* What is worth saying and is no error: a value that was mended, a guess that was
 * made.  A room says it here; only programs print it (lib/cli). */
#ifndef CORE_NOTICE_H
#define CORE_NOTICE_H

#include "core/err.h"

/* Takes a line of text as messages of struct err are: "read 'a.tif': ...". */
typedef void notice_sink(const char *text);

/* Where notices go; NULL, as at the start: nowhere.  Before there are threads. */
void notice_to(notice_sink *sink);

/* May be called by any thread. */
void notice(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
