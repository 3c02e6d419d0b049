#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "image/codec.h"
#include "image/exif.h"

#define MAX_RATIO  (1040 * 64) /* deflate's limit; a palette with alpha gives 32 bits for one */
#define MAX_CHUNK  ((png_alloc_size_t)8 << 20)
#define INPUT_SIZE ((size_t)1 << 16)

struct png_state {
    png_structp png;
    png_infop chunks;
    struct image_reader *reader;
    struct err *err; /* of the call in progress */
    int64_t offset;  /* of the byte after the buffer */
    size_t held, used;
    bool interlaced;
    bool at_end;    /* the last row is being read */
    uint8_t *whole; /* all rows of an interlaced image */
    uint8_t buffer[INPUT_SIZE];
};

static void on_error(png_structp png, png_const_charp message)
{
    struct png_state *s = png_get_error_ptr(png);
    (void)image_bad(s->reader, s->err, "%s", message);
    png_longjmp(png, 1);
}

/* Bytes after the last pixel are harmless.  Here, and only then, libpng may go on. */
static void on_warning(png_structp png, png_const_charp message)
{
    struct png_state *s = png_get_error_ptr(png);
    if (s->at_end && !strstr(message, "Too much") && !strstr(message, "Extra compressed"))
        on_error(png, message);
}

static void fill_buffer(png_structp png, struct png_state *s)
{
    int64_t left = s->reader->source.size - s->offset;
    s->held = left < (int64_t)INPUT_SIZE ? (size_t)left : INPUT_SIZE;
    s->used = 0;
    if (s->held == 0)
        png_error(png, "the file is cut");
    if (image_source_read(&s->reader->source, s->offset, s->buffer, s->held, s->err))
        png_longjmp(png, 1);
    s->offset += (int64_t)s->held;
}

static void on_read(png_structp png, png_bytep to, size_t size)
{
    struct png_state *s = png_get_io_ptr(png);
    while (size) {
        if (s->used == s->held)
            fill_buffer(png, s);
        size_t part = s->held - s->used < size ? s->held - s->used : size;
        memcpy(to, s->buffer + s->used, part);
        s->used += part;
        to += part;
        size -= part;
    }
}

/* Of the ancillary chunks transparency, pixel size and orientation matter to us. */
static void ignore_chunks(png_structp png)
{
    static const png_byte names[] = "bKGD\0cHRM\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0sCAL\0sBIT\0"
                                    "sPLT\0sRGB\0tEXt\0tIME\0zTXt\0cICP";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, names, (int)(sizeof names / 5));
}

static void set_limits(png_structp png)
{
    png_set_user_limits(png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(png, MAX_CHUNK);
    png_set_chunk_cache_max(png, 1000);
    png_set_benign_errors(png, 0);
}

static void take_palette(struct png_state *s)
{
    struct palette *palette = &s->reader->palette;
    png_colorp colors;
    png_bytep alpha = NULL;
    int count = 0, alphas = 0;
    png_get_PLTE(s->png, s->chunks, &colors, &count);
    png_get_tRNS(s->png, s->chunks, &alpha, &alphas, NULL);
    palette->count = (size_t)count;
    for (int i = 0; i < count; i++) {
        memcpy(palette->colors[i], (png_byte[]){colors[i].red, colors[i].green, colors[i].blue}, 3);
        palette->transparent[i] = i < alphas && alpha[i] == 0;
    }
}

static void set_palette(struct png_state *s)
{
    take_palette(s);
    enum palette_kind kind = palette_kind(&s->reader->palette);
    if (s->reader->use == IMAGE_FOR_LABELS || kind == PALETTE_DISPLAY) {
        png_set_packing(s->png);
        return;
    }
    png_set_expand(s->png);
    if (kind == PALETTE_GRAY)
        png_set_rgb_to_gray(s->png, PNG_ERROR_ACTION_NONE, PNG_RGB_TO_GRAY_DEFAULT,
                            PNG_RGB_TO_GRAY_DEFAULT);
}

static void set_transformations(struct png_state *s)
{
    png_byte type = png_get_color_type(s->png, s->chunks);
    if (type == PNG_COLOR_TYPE_PALETTE)
        set_palette(s);
    else if (s->reader->use == IMAGE_FOR_LABELS && type == PNG_COLOR_TYPE_GRAY)
        png_set_packing(s->png);
    else
        png_set_expand(s->png);
    png_set_swap(s->png);
}

/* Whether one of the first chunks names our writer. */
static bool is_own(const struct png_state *s)
{
    static const char own[] = "tEXtSoftware\0" IMAGE_SOFTWARE;
    const struct image_source *source = &s->reader->source;
    int64_t at = 8;
    for (int i = 0; i < 8 && at + 8 + (int64_t)sizeof own < source->size; i++) {
        uint8_t head[4 + sizeof own - 1];
        struct err unused;
        if (image_source_read(source, at, head, sizeof head, &unused))
            return false;
        if (memcmp(head + 4, own, sizeof own - 1) == 0)
            return true;
        at += 12 + (int64_t)png_get_uint_32(head);
    }
    return false;
}

static void fill_info(struct png_state *s)
{
    struct image_info *info = &s->reader->info;
    info->width = png_get_image_width(s->png, s->chunks);
    info->height = png_get_image_height(s->png, s->chunks);
    info->channels = png_get_channels(s->png, s->chunks);
    info->has_alpha = info->channels == 2 || info->channels == 4;
    info->bits = info->significant_bits = png_get_bit_depth(s->png, s->chunks) == 16 ? 16 : 8;
    bool own = is_own(s);
    info->pixel_width = image_pixel_size(png_get_x_pixels_per_meter(s->png, s->chunks), own);
    info->pixel_height = image_pixel_size(png_get_y_pixels_per_meter(s->png, s->chunks), own);
}

static void take_orientation(struct png_state *s)
{
    png_uint_32 size = 0;
    png_bytep bytes = NULL;
    s->reader->orientation = 1;
    if (png_get_eXIf_1(s->png, s->chunks, &size, &bytes) && bytes)
        s->reader->orientation = exif_orientation(bytes, size);
}

/* May be left by longjmp, as what calls it. */
static void read_row(struct png_state *s, bool last, uint8_t *to)
{
    s->at_end = last;
    png_set_benign_errors(s->png, last);
    png_read_row(s->png, to, NULL);
    s->at_end = false;
    png_set_benign_errors(s->png, 0);
}

static int read_whole(struct png_state *s)
{
    size_t row = image_row_bytes(&s->reader->info), rows = (size_t)s->reader->info.height;
    if (image_check_whole(s->reader, (uint64_t)row * rows, s->err))
        return -1;
    s->whole = malloc(row * rows);
    if (!s->whole)
        return err_memory(s->err, "an interlaced PNG");
    for (int pass = 1; pass <= PNG_INTERLACE_ADAM7_PASSES; pass++)
        for (size_t i = 0; i < rows; i++)
            read_row(s, pass == PNG_INTERLACE_ADAM7_PASSES && i + 1 == rows, s->whole + i * row);
    png_read_end(s->png, NULL);
    return 0;
}

/* These may be left by longjmp. */

static int read_header(struct png_state *s)
{
    if (setjmp(png_jmpbuf(s->png)))
        return -1;
    set_limits(s->png);
    ignore_chunks(s->png);
    png_set_read_fn(s->png, s, on_read);
    png_read_info(s->png, s->chunks);
    set_transformations(s);
    s->interlaced = png_set_interlace_handling(s->png) > 1;
    png_read_update_info(s->png, s->chunks);
    fill_info(s);
    take_orientation(s);
    return image_check_size(s->reader, MAX_RATIO, s->err);
}

static int read_interlaced(struct png_state *s)
{
    if (setjmp(png_jmpbuf(s->png)))
        return -1;
    return read_whole(s);
}

static int read_sequential(struct png_state *s, int64_t rows, uint8_t *to)
{
    size_t row = image_row_bytes(&s->reader->info);
    if (setjmp(png_jmpbuf(s->png)))
        return -1;
    int64_t left = s->reader->info.height - s->reader->decoded_row;
    for (int64_t i = 0; i < rows; i++)
        read_row(s, i + 1 == left, to + (size_t)i * row);
    if (rows == left)
        png_read_end(s->png, NULL);
    return 0;
}

static int open_png(struct image_reader *reader, struct err *err)
{
    struct png_state *s = reader->state = calloc(1, sizeof *s);
    if (!s)
        return err_memory(err, "a PNG reader");
    s->reader = reader;
    s->err = err;
    s->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
    s->chunks = s->png ? png_create_info_struct(s->png) : NULL;
    if (!s->chunks)
        return err_memory(err, "a PNG reader");
    return read_header(s);
}

static int read_png(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    struct png_state *s = reader->state;
    s->err = err;
    if (!s->interlaced)
        return read_sequential(s, rows, to);
    if (!s->whole && read_interlaced(s))
        return -1;
    size_t row = image_row_bytes(&reader->info);
    memcpy(to, s->whole + (size_t)reader->decoded_row * row, (size_t)rows * row);
    return 0;
}

static void close_png(struct image_reader *reader)
{
    struct png_state *s = reader->state;
    if (!s)
        return;
    png_destroy_read_struct(&s->png, &s->chunks, NULL);
    free(s->whole);
    free(s);
}

const struct image_decoder image_png_decoder = {"png", open_png, read_png, close_png};
