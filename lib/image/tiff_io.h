/* Private to lib/image: libtiff on a descriptor, with its messages kept rather
 * than printed. */
#ifndef IMAGE_TIFF_IO_H
#define IMAGE_TIFF_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <tiffio.h>

struct tiff_io {
    int fd;              /* borrowed */
    int64_t offset;      /* where libtiff is */
    int error_number;    /* errno of the first failed system call, else 0 */
    bool pixels_suspect; /* a decoder warned that it made pixels up */
    char message[300];   /* the first error since it was cleared */
};

/* mode "r", or "w" and "w8".  The caller closes the TIFF with TIFFClose; `io`
 * must stay where it is until then.  NULL when it fails; see io->message. */
TIFF *tiff_io_open(struct tiff_io *io, const char *name, const char *mode);

/* The message, or what the failed system call says, or `otherwise`. */
const char *tiff_io_message(const struct tiff_io *io, const char *otherwise);

#endif
