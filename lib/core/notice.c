#include "core/notice.h"

#include <stdarg.h>
#include <stdio.h>

static notice_sink *sink;

void notice_to(notice_sink *new_sink)
{
    sink = new_sink;
}

void notice(const char *format, ...)
{
    char text[sizeof((struct err *)0)->message];
    struct err line;
    va_list args;
    if (!sink)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_set(&line, STATUS_OK, "%s", text); /* control characters out */
    sink(line.message);
}
