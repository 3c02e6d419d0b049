#include "image/tiff_io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/io.h"
#include "core/limits.h"

static int keep_error(TIFF *tif, void *user, const char *module, const char *format, va_list args)
{
    struct tiff_io *io = user;
    (void)tif;
    (void)module;
    if (!io->message[0])
        vsnprintf(io->message, sizeof io->message, format, args);
    return 1;
}

/* libjpeg's and the fax decoders' warnings are about pixels they could not decode. */
static int keep_warning(TIFF *tif, void *user, const char *module, const char *format, va_list args)
{
    struct tiff_io *io = user;
    if (module && (strncmp(module, "JPEGLib", 7) == 0 || strncmp(module, "Fax", 3) == 0)) {
        io->pixels_suspect = true;
        keep_error(tif, user, module, format, args);
    }
    return 1;
}

static tmsize_t failed(struct tiff_io *io)
{
    if (!io->error_number)
        io->error_number = errno;
    return -1;
}

static tmsize_t read_some(thandle_t handle, void *to, tmsize_t size)
{
    struct tiff_io *io = handle;
    ssize_t n = io_read_at(io->fd, to, (size_t)size, io->offset);
    if (n < 0)
        return failed(io);
    io->offset += n;
    return n;
}

static tmsize_t write_all(thandle_t handle, void *from, tmsize_t size)
{
    struct tiff_io *io = handle;
    if (io_write_at(io->fd, from, (size_t)size, io->offset))
        return failed(io);
    io->offset += size;
    return size;
}

static toff_t file_size(thandle_t handle)
{
    struct tiff_io *io = handle;
    off_t end = lseek(io->fd, 0, SEEK_END);
    return end < 0 ? 0 : (toff_t)end;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence)
{
    struct tiff_io *io = handle;
    int64_t base = whence == SEEK_CUR   ? io->offset
                   : whence == SEEK_END ? (int64_t)file_size(io)
                                        : 0;
    int64_t target;
    if (__builtin_add_overflow(base, (int64_t)offset, &target) || target < 0)
        return (toff_t)-1;
    io->offset = target;
    return (toff_t)target;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

TIFF *tiff_io_open(struct tiff_io *io, const char *name, const char *mode)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options)
        return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)limits_memory());
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, io);
    TIFFOpenOptionsSetWarningHandlerExtR(options, keep_warning, io);
    char unmapped[8];
    snprintf(unmapped, sizeof unmapped, "%sm", mode);
    TIFF *tif = TIFFClientOpenExt(name, unmapped, io, read_some, write_all, seek, close_nothing,
                                  file_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    return tif;
}

const char *tiff_io_message(const struct tiff_io *io, const char *otherwise)
{
    if (io->error_number)
        return strerror(io->error_number);
    return io->message[0] ? io->message : otherwise;
}
