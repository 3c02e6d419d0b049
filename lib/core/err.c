#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

static void set_message(struct err *err, enum status status, const char *format, va_list args)
{
    err->status = status;
    vsnprintf(err->message, sizeof err->message, format, args);
    make_one_line(err->message);
}

int err_set(struct err *err, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_message(err, status, format, args);
    va_end(args);
    return -1;
}

int err_errno(struct err *err, enum status status, const char *format, ...)
{
    int saved = errno;
    va_list args;
    va_start(args, format);
    set_message(err, status, format, args);
    va_end(args);
    size_t length = strlen(err->message);
    snprintf(err->message + length, sizeof err->message - length, ": %s", strerror(saved));
    return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
    char tail[sizeof err->message];
    memcpy(tail, err->message, sizeof tail);
    va_list args;
    va_start(args, format);
    set_message(err, err->status, format, args);
    va_end(args);
    size_t length = strlen(err->message);
    snprintf(err->message + length, sizeof err->message - length, ": %s", tail);
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
