#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "image/codec.h"
#include "image/deflate.h"
#include "image/png_filter.h"

#define BLOCK_BYTES ((size_t)256 << 10) /* of filtered rows in an IDAT, at least one row */

struct png_output {
    struct deflater *deflater;
    uint8_t *above, *row; /* in the file's byte order */
    uint8_t *block;       /* filtered rows */
    size_t rows, most;    /* in it, and that it takes */
    uint32_t sum;         /* Adler-32 of all filtered rows */
};

static void put32(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 24);
    to[1] = (uint8_t)(value >> 16);
    to[2] = (uint8_t)(value >> 8);
    to[3] = (uint8_t)value;
}

static int write_chunk(struct image_writer *writer, const char *type, const uint8_t *data,
                       size_t size, struct err *err)
{
    uint8_t head[8], tail[4];
    put32(head, (uint32_t)size);
    memcpy(head + 4, type, 4);
    uLong crc = crc32(0, head + 4, 4);
    if (size)
        crc = crc32_z(crc, data, size);
    put32(tail, (uint32_t)crc);
    if (outfile_write(writer->out, head, sizeof head, err) ||
        (size && outfile_write(writer->out, data, size, err)))
        return -1;
    return outfile_write(writer->out, tail, sizeof tail, err);
}

static int write_header(struct image_writer *writer, struct err *err)
{
    static const uint8_t colour_types[] = {0, 0, 4, 2, 6};
    const struct image_info *info = &writer->info;
    uint8_t header[13] = {0};
    put32(header, (uint32_t)info->width);
    put32(header + 4, (uint32_t)info->height);
    header[8] = (uint8_t)info->bits;
    header[9] = colour_types[info->channels];
    if (outfile_write(writer->out, "\x89PNG\r\n\x1a\n", 8, err))
        return -1;
    return write_chunk(writer, "IHDR", header, sizeof header, err);
}

static int write_pixel_size(struct image_writer *writer, struct err *err)
{
    double x = 1e6 / writer->info.pixel_width, y = 1e6 / writer->info.pixel_height;
    if (!(x >= 1 && x < INT32_MAX && y >= 1 && y < INT32_MAX))
        return 0;
    uint8_t size[9];
    put32(size, (uint32_t)lround(x));
    put32(size + 4, (uint32_t)lround(y));
    size[8] = 1; /* the unit is the metre */
    return write_chunk(writer, "pHYs", size, sizeof size, err);
}

/* The two bytes that open a zlib stream: deflate, 32 KiB window, fastest. */
static int write_stream_start(struct image_writer *writer, struct err *err)
{
    static const uint8_t start[2] = {0x78, 0x01};
    return write_chunk(writer, "IDAT", start, sizeof start, err);
}

static int create_png(struct image_writer *writer, struct err *err)
{
    struct png_output *s = writer->state = calloc(1, sizeof *s);
    size_t row = image_row_bytes(&writer->info);
    if (!s)
        return err_memory(err, "a PNG writer");
    s->sum = (uint32_t)adler32(0, NULL, 0);
    s->most = BLOCK_BYTES / (row + 1) + 1;
    s->above = calloc(row, 1);
    s->row = malloc(row);
    s->block = malloc(s->most * (row + 1));
    if (!s->above || !s->row || !s->block)
        return err_memory(err, "a PNG writer");
    if (deflater_new(&s->deflater, false, err) || write_header(writer, err) ||
        write_pixel_size(writer, err))
        return -1;
    return write_stream_start(writer, err);
}

static int write_block(struct image_writer *writer, bool last, struct err *err)
{
    struct png_output *s = writer->state;
    size_t size = s->rows * (image_row_bytes(&writer->info) + 1), coded_size;
    const uint8_t *coded;
    s->sum = (uint32_t)adler32_z(s->sum, s->block, size);
    s->rows = 0;
    if (deflater_block(s->deflater, s->block, size, last, &coded, &coded_size, err))
        return -1;
    return write_chunk(writer, "IDAT", coded, coded_size, err);
}

static void to_file_order(const struct image_info *info, const uint8_t *from, uint8_t *to)
{
    size_t size = image_row_bytes(info);
    if (info->bits == 8) {
        memcpy(to, from, size);
        return;
    }
    for (size_t i = 0; i < size; i += 2) {
        to[i] = from[i + 1];
        to[i + 1] = from[i];
    }
}

static void add_row(struct image_writer *writer, const uint8_t *from)
{
    struct png_output *s = writer->state;
    size_t size = image_row_bytes(&writer->info);
    size_t pixel = (size_t)writer->info.channels * (size_t)writer->info.bits / 8;
    to_file_order(&writer->info, from, s->row);
    png_filter_row(s->row, s->above, size, pixel, s->block + s->rows++ * (size + 1));
    uint8_t *row = s->row;
    s->row = s->above;
    s->above = row;
}

static int write_png(struct image_writer *writer, int64_t rows, const void *from, struct err *err)
{
    struct png_output *s = writer->state;
    size_t size = image_row_bytes(&writer->info);
    for (int64_t i = 0; i < rows; i++) {
        if (s->rows == s->most && write_block(writer, false, err))
            return -1;
        add_row(writer, (const uint8_t *)from + (size_t)i * size);
    }
    return 0;
}

static int finish_png(struct image_writer *writer, struct err *err)
{
    struct png_output *s = writer->state;
    uint8_t sum[4];
    if (write_block(writer, true, err))
        return -1;
    put32(sum, s->sum);
    return write_chunk(writer, "IDAT", sum, sizeof sum, err) ||
                   write_chunk(writer, "IEND", NULL, 0, err)
               ? -1
               : 0;
}

static void release_png(struct image_writer *writer)
{
    struct png_output *s = writer->state;
    if (!s)
        return;
    deflater_free(s->deflater);
    free(s->above);
    free(s->row);
    free(s->block);
    free(s);
}

const struct image_encoder image_png_encoder = {create_png, write_png, finish_png, release_png};
