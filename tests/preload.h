/* What libraries to preload share: what they replace, and how files are opened.  The library says
 * what is done before. */
#ifndef TESTS_PRELOAD_H
#define TESTS_PRELOAD_H

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>

/* The library's: not 0, with errno set, when the file shall not be opened. */
static int before_open(const char *path, int flags);

/* The function that is replaced. */
static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* Not looked at by the library; without asking before_open. */
static int open_unseen(int folder, const char *path, int flags)
{
    int (*real)(int, const char *, int, ...) = (int (*)(int, const char *, int, ...))next("openat");
    return real(folder, path, flags, 0600);
}

static int open_file(const char *path, int flags, va_list args)
{
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))next("open64");
    unsigned mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, unsigned) : 0;
    return before_open(path, flags) ? -1 : real(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = open_file(path, flags, args);
    va_end(args);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = open_file(path, flags, args);
    va_end(args);
    return fd;
}

#endif
