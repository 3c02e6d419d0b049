#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LONGEST 9000 /* before it is cut: two paths and words */
#define GAP     " ... "

/* Keeps the beginning and, longer, the end. */
static void cut_middle(char *to, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length < size) {
        memcpy(to, text, length + 1);
        return;
    }
    size_t head = size / 3, tail = size - 1 - head - strlen(GAP);
    snprintf(to, size, "%.*s" GAP "%s", (int)head, text, text + length - tail);
}

static void set_message(struct err *err, enum status status, const char *after, const char *format,
                        va_list args)
{
    char text[LONGEST];
    int length = vsnprintf(text, sizeof text, format, args);
    if (length >= 0 && length < (int)sizeof text && after)
        snprintf(text + length, sizeof text - (size_t)length, ": %s", after);
    err->status = status;
    cut_middle(err->message, sizeof err->message, text);
}

int err_set(struct err *err, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_message(err, status, NULL, format, args);
    va_end(args);
    return -1;
}

int err_errno(struct err *err, enum status status, const char *format, ...)
{
    const char *reason = strerror(errno);
    va_list args;
    va_start(args, format);
    set_message(err, status, reason, format, args);
    va_end(args);
    return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
    char tail[sizeof err->message];
    memcpy(tail, err->message, sizeof tail);
    va_list args;
    va_start(args, format);
    set_message(err, err->status, tail, format, args);
    va_end(args);
    return -1;
}

int err_memory(struct err *err, const char *what)
{
    return err_set(err, STATUS_MEMORY, "out of memory for %s", what);
}

enum status err_open_status(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return STATUS_NO_INPUT;
    case ENOMEM:
        return STATUS_MEMORY;
    default:
        return STATUS_IO;
    }
}
