/* Private to lib/image: what a format offers to image.h, and the limits that
 * every format is held to before anything is allocated. */
#ifndef IMAGE_CODEC_H
#define IMAGE_CODEC_H

#include "image/image.h"
#include "image/palette.h"
#include "image/planes.h"
#include "image/scaled.h"
#include "image/turned.h"

#define IMAGE_MAX_SIDE     1000000 /* pixels, width and height */
#define IMAGE_MAX_CHANNELS 64
#define IMAGE_MAX_ROW      ((size_t)64 << 20) /* bytes of one delivered row */

enum image_use { IMAGE_FOR_COLORS, IMAGE_FOR_LABELS };

struct image_source {
    int fd;       /* seekable, at its beginning */
    int64_t size; /* bytes */
    char *name;   /* for messages */
};

struct image_decoder {
    const char *format;
    /* Fills reader->info, the state, the orientation and the palette, if there is one; on
     * failure the reader is closed by the caller. */
    int (*open)(struct image_reader *reader, struct err *err);
    /* Only called with rows that are there. */
    int (*read)(struct image_reader *reader, int64_t rows, void *to, struct err *err);
    void (*close)(struct image_reader *reader);
    /* Back to the first row; NULL: it is closed and opened again. */
    void (*rewind)(struct image_reader *reader);
};

struct image_reader {
    struct image_info info;  /* as decoded */
    struct image_info shown; /* as delivered */
    struct image_source source;
    const struct image_decoder *decoder;
    enum image_use use;
    int64_t next_row;           /* of the image as delivered */
    int64_t decoded_row;        /* the decoder's next */
    int orientation;            /* 1 to 8, of the file */
    struct image_planes planes; /* what was chosen */
    bool chose_channels;        /* the decoder did, else the reader does */
    bool chose_level;           /* the decoder did */
    bool is_imagej;             /* ImageJ wrote it */
    bool is_tifffile;           /* tifffile did */
    bool is_stack;              /* one of several planes: a palette of it is for display */
    struct turned turned;       /* orientation 1, or 0: not at all */
    struct scaled scaled;
    struct palette palette; /* of the file; count 0: none */
    struct {
        int count; /* 0: all */
        int index[PLANES_MAX_CHANNELS];
        uint8_t *rows; /* as decoded */
    } picked;          /* channels, unless the decoder chose them */
    uint64_t voids;    /* labels of -1 that were read so far */
    bool told;         /* of them */
    void *state;
};

struct image_encoder {
    int (*create)(struct image_writer *writer, struct err *err);
    int (*write)(struct image_writer *writer, int64_t rows, const void *from, struct err *err);
    /* Writes what is pending; release is called after it all the same. */
    int (*finish)(struct image_writer *writer, struct err *err);
    void (*release)(struct image_writer *writer);
};

struct image_writer {
    struct image_info info;
    struct outfile *out;
    const struct image_encoder *encoder;
    enum image_compression compression;
    int64_t next_row;
    void *state;
};

extern const struct image_decoder image_tiff_decoder, image_png_decoder, image_jpeg_decoder,
    image_npy_decoder, image_slide_decoder;
extern const struct image_encoder image_png_encoder, image_tiff_encoder, image_ome_encoder;

/* Opens a file for reading; what cannot seek is copied to a temporary file. */
int image_source_open(struct image_source *source, const char *path, struct err *err) MUST_CHECK;
void image_source_close(struct image_source *source);

/* Reads exactly `size` bytes at `offset`; a file that ends before is STATUS_DATA. */
int image_source_read(const struct image_source *source, int64_t offset, void *to, size_t size,
                      struct err *err) MUST_CHECK;

/* Refuses sizes outside the limits, and more than `ratio` delivered bytes for
 * a byte of the file, which no such file can hold. */
int image_check_size(const struct image_reader *reader, uint64_t ratio, struct err *err) MUST_CHECK;

/* Refuses what needs `bytes` of memory at once, `what`, beyond core/limits.h; and, where that is
 * all of the image, more pixels. */
int image_check_memory(const struct image_reader *reader, uint64_t bytes, const char *what,
                       struct err *err) MUST_CHECK;
int image_check_whole(const struct image_reader *reader, uint64_t bytes,
                      struct err *err) MUST_CHECK;

/* image_open and image_open_labels for a choice of planes. */
int image_open_for(struct image_reader **reader, const char *path, enum image_use use,
                   const struct image_planes *planes, struct err *err) MUST_CHECK;

/* Fills reader->shown: the channels that were chosen, unless the decoder chose them. */
int image_choose_channels(struct image_reader *reader, struct err *err) MUST_CHECK;

/* err_set with "read 'NAME': " before the message, STATUS_DATA. */
int image_bad(const struct image_reader *reader, struct err *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* What our files call the program that wrote them. */
#define IMAGE_SOFTWARE "MorphoSeg"

/* Micrometers of a pixel from a density in pixels per meter.  0, not said, when the density is
 * none, or one that screens, printers and scanners have, pixels over 5 micrometers, in a file that
 * is not our own. */
double image_pixel_size(double per_meter, bool is_own);

#endif
