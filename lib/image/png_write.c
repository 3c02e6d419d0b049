/* PNG by libpng, set for speed: each row's difference from the row above, of which deflate
 * looks for runs alone (image/deflate.h says why). */
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

#include "image/codec.h"

#define BLOCK_BYTES ((size_t)256 << 10) /* of an IDAT */

struct png_output {
    png_structp png;
    png_infop chunks;
    struct image_writer *writer;
    struct err *err; /* of the call in progress */
};

static void on_error(png_structp png, png_const_charp message)
{
    struct png_output *s = png_get_error_ptr(png);
    enum status status = strstr(message, "memory") ? STATUS_MEMORY : STATUS_IO;
    (void)err_set(s->err, status, "write '%s': %s", outfile_name(s->writer->out), message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void on_write(png_structp png, png_bytep data, size_t size)
{
    struct png_output *s = png_get_io_ptr(png);
    if (outfile_write(s->writer->out, data, size, s->err))
        png_longjmp(png, 1);
}

static void on_flush(png_structp png)
{
    (void)png;
}

static void set_header(struct png_output *s)
{
    static const int color_types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                      PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    const struct image_info *info = &s->writer->info;
    double x = 1e6 / info->pixel_width, y = 1e6 / info->pixel_height;
    png_set_IHDR(s->png, s->chunks, (png_uint_32)info->width, (png_uint_32)info->height, info->bits,
                 color_types[info->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (!(x >= 1 && x < INT32_MAX && y >= 1 && y < INT32_MAX))
        return;
    png_set_pHYs(s->png, s->chunks, (png_uint_32)lround(x), (png_uint_32)lround(y),
                 PNG_RESOLUTION_METER);
    /* so that our reader believes any size */
    png_text software = {.compression = PNG_TEXT_COMPRESSION_NONE,
                         .key = (png_charp) "Software",
                         .text = (png_charp)IMAGE_SOFTWARE};
    png_set_text(s->png, s->chunks, &software, 1);
}

static void set_speed(png_structp png)
{
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
    png_set_compression_level(png, 1);
    png_set_compression_strategy(png, Z_RLE);
    png_set_compression_mem_level(png, MAX_MEM_LEVEL);
    png_set_compression_buffer_size(png, BLOCK_BYTES);
}

static int create_png(struct image_writer *writer, struct err *err)
{
    struct png_output *s = writer->state = calloc(1, sizeof *s);
    if (!s)
        return err_memory(err, "a PNG writer");
    s->writer = writer;
    s->err = err;
    s->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
    s->chunks = s->png ? png_create_info_struct(s->png) : NULL;
    if (!s->chunks)
        return err_memory(err, "a PNG writer");
    if (setjmp(png_jmpbuf(s->png)))
        return -1;
    png_set_user_limits(s->png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    png_set_write_fn(s->png, s, on_write, on_flush);
    set_speed(s->png);
    set_header(s);
    png_write_info(s->png, s->chunks);
    if (writer->info.bits == 16)
        png_set_swap(s->png);
    return 0;
}

static int write_png(struct image_writer *writer, int64_t rows, const void *from, struct err *err)
{
    struct png_output *s = writer->state;
    size_t size = image_row_bytes(&writer->info);
    s->err = err;
    if (setjmp(png_jmpbuf(s->png)))
        return -1;
    for (int64_t i = 0; i < rows; i++)
        png_write_row(s->png, (png_const_bytep)from + (size_t)i * size);
    return 0;
}

static int finish_png(struct image_writer *writer, struct err *err)
{
    struct png_output *s = writer->state;
    s->err = err;
    if (setjmp(png_jmpbuf(s->png)))
        return -1;
    png_write_end(s->png, NULL);
    return 0;
}

static void release_png(struct image_writer *writer)
{
    struct png_output *s = writer->state;
    if (s)
        png_destroy_write_struct(&s->png, &s->chunks);
    free(s);
}

const struct image_encoder image_png_encoder = {create_png, write_png, finish_png, release_png};
