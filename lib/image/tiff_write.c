/* TIFF in strips. */
#include <stdlib.h>
#include <string.h>

#include "image/tiff_output.h"

#define STRIP_BYTES ((size_t)256 << 10)

struct strips {
    struct tiff_output output;
    int64_t strip_rows;
    int64_t pending; /* rows in `strip` */
    uint8_t *strip;
};

static int create_tiff(struct image_writer *writer, struct err *err)
{
    struct strips *s = writer->state = calloc(1, sizeof *s);
    size_t row = image_row_bytes(&writer->info);
    if (!s)
        return err_memory(err, "a TIFF writer");
    s->strip_rows = (int64_t)(STRIP_BYTES / row + 1);
    if (s->strip_rows > writer->info.height)
        s->strip_rows = writer->info.height;
    s->strip = malloc((size_t)s->strip_rows * row);
    if (!s->strip)
        return err_memory(err, "a TIFF's strip");
    uint64_t bytes = (uint64_t)row * (uint64_t)writer->info.height;
    if (tiff_output_open(&s->output, writer, bytes, err))
        return -1;
    tiff_output_tags(&s->output, writer, &writer->info);
    TIFFSetField(s->output.tif, TIFFTAG_ROWSPERSTRIP, (uint32_t)s->strip_rows);
    return 0;
}

static int write_strip(struct image_writer *writer, int64_t first, int64_t rows, const void *from,
                       struct err *err)
{
    struct strips *s = writer->state;
    size_t row = image_row_bytes(&writer->info), size = (size_t)rows * row;
    uint32_t strip = (uint32_t)(first / s->strip_rows);
    void *block = (void *)from;
    if (from != s->strip && writer->compression != IMAGE_UNCOMPRESSED) /* else it is only read */
        block = memcpy(s->strip, from, size);
    return tiff_output_block(&s->output, writer, &writer->info, TIFF_STRIP, strip, block, row, size,
                             err);
}

static int write_tiff(struct image_writer *writer, int64_t rows, const void *from, struct err *err)
{
    struct strips *s = writer->state;
    size_t row = image_row_bytes(&writer->info);
    const uint8_t *p = from;
    int64_t next = writer->next_row;
    while (rows) {
        int64_t part = s->strip_rows - s->pending < rows ? s->strip_rows - s->pending : rows;
        const uint8_t *strip = p;
        if (s->pending || part < s->strip_rows) {
            memcpy(s->strip + (size_t)s->pending * row, p, (size_t)part * row);
            strip = s->strip;
        }
        int64_t filled = s->pending + part, first = next - s->pending;
        p += (size_t)part * row;
        next += part;
        rows -= part;
        s->pending = filled;
        if (filled < s->strip_rows && next < writer->info.height)
            continue;
        s->pending = 0;
        if (write_strip(writer, first, filled, strip, err))
            return -1;
    }
    return 0;
}

static int finish_tiff(struct image_writer *writer, struct err *err)
{
    struct strips *s = writer->state;
    return tiff_output_finish(&s->output, writer, err);
}

static void release_tiff(struct image_writer *writer)
{
    struct strips *s = writer->state;
    if (!s)
        return;
    tiff_output_release(&s->output);
    free(s->strip);
    free(s);
}

const struct image_encoder image_tiff_encoder = {create_tiff, write_tiff, finish_tiff,
                                                 release_tiff};
