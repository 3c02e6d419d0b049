#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "image/codec.h"
#include "image/png_filter.h"

#define CHUNK_BYTES ((size_t)1 << 17) /* of an IDAT */
#define LEVEL       4

struct png_output {
    z_stream deflate;
    bool deflate_open;
    uint8_t *above, *row, *filtered; /* above and row are in the file's byte order */
    uint8_t *chunk;
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

static int create_png(struct image_writer *writer, struct err *err)
{
    struct png_output *s = writer->state = calloc(1, sizeof *s);
    size_t row = image_row_bytes(&writer->info);
    if (!s)
        return err_memory(err, "a PNG writer");
    s->above = calloc(row, 1);
    s->row = malloc(row);
    s->filtered = malloc(row + 1);
    s->chunk = malloc(CHUNK_BYTES);
    if (!s->above || !s->row || !s->filtered || !s->chunk ||
        deflateInit(&s->deflate, LEVEL) != Z_OK)
        return err_memory(err, "a PNG writer");
    s->deflate_open = true;
    s->deflate.next_out = s->chunk;
    s->deflate.avail_out = CHUNK_BYTES;
    return write_header(writer, err) || write_pixel_size(writer, err) ? -1 : 0;
}

static int write_full_chunk(struct image_writer *writer, struct err *err)
{
    struct png_output *s = writer->state;
    size_t held = CHUNK_BYTES - s->deflate.avail_out;
    s->deflate.next_out = s->chunk;
    s->deflate.avail_out = CHUNK_BYTES;
    return held ? write_chunk(writer, "IDAT", s->chunk, held, err) : 0;
}

static int compress_row(struct image_writer *writer, size_t size, struct err *err)
{
    struct png_output *s = writer->state;
    s->deflate.next_in = s->filtered;
    s->deflate.avail_in = (uInt)size;
    while (s->deflate.avail_in) {
        deflate(&s->deflate, Z_NO_FLUSH);
        if (s->deflate.avail_out == 0 && write_full_chunk(writer, err))
            return -1;
    }
    return 0;
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

static int write_png(struct image_writer *writer, int64_t rows, const void *from, struct err *err)
{
    struct png_output *s = writer->state;
    size_t size = image_row_bytes(&writer->info);
    size_t pixel = (size_t)writer->info.channels * (size_t)writer->info.bits / 8;
    for (int64_t i = 0; i < rows; i++) {
        to_file_order(&writer->info, (const uint8_t *)from + (size_t)i * size, s->row);
        png_filter_row(s->row, s->above, size, pixel, s->filtered);
        if (compress_row(writer, size + 1, err))
            return -1;
        uint8_t *row = s->row;
        s->row = s->above;
        s->above = row;
    }
    return 0;
}

static int finish_png(struct image_writer *writer, struct err *err)
{
    struct png_output *s = writer->state;
    int state;
    do {
        state = deflate(&s->deflate, Z_FINISH);
        if (write_full_chunk(writer, err))
            return -1;
    } while (state == Z_OK);
    if (state != Z_STREAM_END)
        return err_set(err, STATUS_BUG, "write '%s': deflate failed", outfile_name(writer->out));
    return write_chunk(writer, "IEND", NULL, 0, err);
}

static void release_png(struct image_writer *writer)
{
    struct png_output *s = writer->state;
    if (!s)
        return;
    if (s->deflate_open)
        deflateEnd(&s->deflate);
    free(s->above);
    free(s->row);
    free(s->filtered);
    free(s->chunk);
    free(s);
}

const struct image_encoder image_png_encoder = {create_png, write_png, finish_png, release_png};
