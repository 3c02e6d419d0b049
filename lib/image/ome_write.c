/* OME-TIFF (docs.openmicroscopy.org, schema 2016-06): tiles, and each page's reduced images
 * as its sub-images, so that programs show any part at any scale at once.
 *
 * Red, green and blue are one page, other channels a page each.  Rows of the first page's
 * full size are written as they come; of all else, since a TIFF's pages follow each other,
 * rows wait in a temporary file, a third of the pixels for one channel.  In memory are a
 * row of tiles, and two rows of each scale. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/io.h"
#include "image/tiff_output.h"

#define TILE       256
#define MAX_LEVELS 24

struct level {
    struct image_info info; /* of one page */
    size_t row;             /* bytes */
    off_t at;               /* of the first page's rows in the temporary file */
    uint8_t *upper;         /* for each page, a row that waits for the next */
    uint8_t *reduced;       /* the row of the next level that they make */
};

struct pyramid {
    struct tiff_output output;
    int pages, count;                /* count: of levels */
    struct level levels[MAX_LEVELS]; /* the full size first */
    off_t page;                      /* bytes of a page's levels in the temporary file */
    int fd;
    uint8_t *band; /* TILE rows of the level that is written */
    uint8_t *tile;
    uint8_t *plane; /* a row of one page */
};

/* ---- what there is ---- */

static bool is_colored(const struct image_info *info)
{
    return info->channels - info->has_alpha == 3 && info->bits <= 16 && !info->channel_names;
}

/* Reduced images of labels have no values between. */
static bool is_discrete(const struct image_info *info)
{
    return info->is_label || info->is_discrete;
}

static void plan_levels(struct pyramid *p, const struct image_info *info)
{
    struct image_info page = *info;
    if (p->pages > 1) {
        page.channels = 1;
        page.has_alpha = false;
    }
    for (p->count = 0; p->count < MAX_LEVELS; p->count++) {
        struct level *level = &p->levels[p->count];
        level->info = page;
        level->row = image_row_bytes(&page);
        level->at = p->page;
        p->page += (off_t)level->row * (off_t)page.height;
        if (page.width <= TILE && page.height <= TILE)
            break;
        page.width = (page.width + 1) / 2;
        page.height = (page.height + 1) / 2;
        page.pixel_width = info->pixel_width * (double)info->width / (double)page.width;
        page.pixel_height = info->pixel_height * (double)info->height / (double)page.height;
    }
    p->count += p->count < MAX_LEVELS;
}

/* ---- OME-XML ---- */

static void put_escaped(FILE *to, const char *text)
{
    for (; *text; text++) {
        const char *special = strchr("<>&\"'", *text);
        if (special || (unsigned char)*text < 0x20)
            fprintf(to, "&#%d;", (unsigned char)*text < 0x20 ? '?' : *text);
        else
            putc(*text, to);
    }
}

static void put_channels(FILE *to, const struct image_info *info, int pages)
{
    for (int c = 0; c < pages; c++) {
        fprintf(to, "<Channel ID=\"Channel:0:%d\" SamplesPerPixel=\"%d\"", c,
                info->channels / pages);
        if (info->channel_names) {
            fputs(" Name=\"", to);
            put_escaped(to, info->channel_names[c]);
            putc('"', to);
        }
        fputs("/>", to);
    }
}

/* New, NULL when out of memory. */
static char *describe(const struct image_info *info, int pages)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    fprintf(to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><OME "
            "xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\" "
            "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
            "xsi:schemaLocation=\"http://www.openmicroscopy.org/Schemas/OME/2016-06 "
            "http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd\" "
            "Creator=\"MorphoSeg %s\"><Image ID=\"Image:0\"><Pixels ID=\"Pixels:0\" "
            "DimensionOrder=\"XYCZT\" Type=\"%s\" SizeX=\"%" PRId64 "\" SizeY=\"%" PRId64
            "\" SizeC=\"%d\" SizeZ=\"1\" SizeT=\"1\"",
            MORPHOSEG_VERSION,
            info->bits == 8    ? "uint8"
            : info->bits == 16 ? "uint16"
            : info->is_label   ? "uint32"
                               : "float",
            info->width, info->height, info->channels);
    if (info->pixel_width > 0 && info->pixel_height > 0)
        fprintf(to,
                " PhysicalSizeX=\"%.9g\" PhysicalSizeXUnit=\"\xc2\xb5m\" "
                "PhysicalSizeY=\"%.9g\" PhysicalSizeYUnit=\"\xc2\xb5m\"",
                info->pixel_width, info->pixel_height);
    putc('>', to);
    put_channels(to, info, pages);
    fprintf(to, "<TiffData IFD=\"0\" PlaneCount=\"%d\"/></Pixels></Image></OME>", pages);
    return fclose(to) ? NULL : text;
}

/* ---- pages ---- */

static int begin_page(struct pyramid *p, struct image_writer *writer, int page, int level,
                      struct err *err)
{
    uint64_t places[MAX_LEVELS] = {0}; /* of the sub-images, which libtiff fills in */
    TIFF *tif = p->output.tif;
    tiff_output_tags(&p->output, writer, &p->levels[level].info);
    TIFFSetField(tif, TIFFTAG_TILEWIDTH, (uint32_t)TILE);
    TIFFSetField(tif, TIFFTAG_TILELENGTH, (uint32_t)TILE);
    if (level)
        TIFFSetField(tif, TIFFTAG_SUBFILETYPE, (uint32_t)FILETYPE_REDUCEDIMAGE);
    else if (p->count > 1)
        TIFFSetField(tif, TIFFTAG_SUBIFD, p->count - 1, places);
    if (page || level)
        return 0;
    char *text = describe(&writer->info, p->pages);
    if (!text)
        return err_memory(err, "OME-XML");
    TIFFSetField(tif, TIFFTAG_IMAGEDESCRIPTION, text);
    free(text);
    return 0;
}

static int end_page(struct pyramid *p, const struct image_writer *writer, struct err *err)
{
    return tiff_output_directory(&p->output, writer, err);
}

/* The tiles of `rows` rows of the band, which begin at row y. */
static int write_tiles(struct pyramid *p, struct image_writer *writer, const struct level *level,
                       int64_t y, int64_t rows, struct err *err)
{
    size_t pixel = level->row / (size_t)level->info.width, row = TILE * pixel;
    uint32_t across = (uint32_t)((level->info.width + TILE - 1) / TILE);
    uint32_t first = (uint32_t)(y / TILE) * across;
    for (uint32_t i = 0; i < across; i++) {
        size_t left = i * row, part = level->row - left < row ? level->row - left : row;
        memset(p->tile, 0, row * TILE);
        for (int64_t j = 0; j < rows; j++)
            memcpy(p->tile + (size_t)j * row, p->band + (size_t)j * level->row + left, part);
        if (tiff_output_block(&p->output, writer, &level->info, TIFF_TILE, first + i, p->tile, row,
                              row * TILE, err))
            return -1;
    }
    return 0;
}

static int write_page(struct pyramid *p, struct image_writer *writer, int page, int number,
                      struct err *err)
{
    const struct level *level = &p->levels[number];
    off_t at = (off_t)page * p->page + level->at;
    int64_t height = level->info.height;
    if (begin_page(p, writer, page, number, err))
        return -1;
    for (int64_t y = 0; y < height; y += TILE) {
        int64_t rows = height - y < TILE ? height - y : TILE;
        size_t size = (size_t)rows * level->row;
        if (io_read_at(p->fd, p->band, size, at + (off_t)y * (off_t)level->row) != (ssize_t)size)
            return err_errno(err, STATUS_IO, "read a temporary file");
        if (write_tiles(p, writer, level, y, rows, err))
            return -1;
    }
    return end_page(p, writer, err);
}

/* ---- rows ---- */

/* The means of 2 x 2 samples, or of what there is of them at the right and lower border.
 * Shorter sums of whole numbers are rounded to nearest. */
#define DEFINE_MEANS(name, type, sum_type, half)                                                   \
    static void name(const type *a, const type *b, type *to, size_t width, size_t channels)        \
    {                                                                                              \
        for (size_t x = 0; x < width; x += 2)                                                      \
            for (size_t c = 0; c < channels; c++) {                                                \
                size_t at = x * channels + c, next = x + 1 < width ? at + channels : at;           \
                sum_type sum = (sum_type)a[at] + a[next] + b[at] + b[next];                        \
                to[x / 2 * channels + c] = (type)((sum + (half)) / 4);                             \
            }                                                                                      \
    }
DEFINE_MEANS(means_of_u8, uint8_t, unsigned, 2u)
DEFINE_MEANS(means_of_u16, uint16_t, unsigned, 2u)
DEFINE_MEANS(means_of_f32, float, float, 0)

static void reduce(const struct level *level, const void *a, const void *b, void *to)
{
    const struct image_info *info = &level->info;
    size_t width = (size_t)info->width, channels = (size_t)info->channels;
    size_t pixel = level->row / width;
    if (is_discrete(info))
        for (size_t x = 0; x < width; x += 2)
            memcpy((char *)to + x / 2 * pixel, (const char *)a + x * pixel, pixel);
    else if (info->bits == 8)
        means_of_u8(a, b, to, width, channels);
    else if (info->bits == 16)
        means_of_u16(a, b, to, width, channels);
    else
        means_of_f32(a, b, to, width, channels);
}

/* The first page's full size goes into tiles, all else into the temporary file. */
static int keep_row(struct pyramid *p, struct image_writer *writer, int page, int number, int64_t y,
                    const void *row, struct err *err)
{
    const struct level *level = &p->levels[number];
    if (page || number) {
        off_t at = (off_t)page * p->page + level->at + (off_t)y * (off_t)level->row;
        return io_write_at(p->fd, row, level->row, at)
                   ? err_errno(err, STATUS_IO, "write a temporary file")
                   : 0;
    }
    int64_t rows = y % TILE + 1;
    memcpy(p->band + (size_t)(rows - 1) * level->row, row, level->row);
    if (rows < TILE && y + 1 < level->info.height)
        return 0;
    return write_tiles(p, writer, level, y - rows + 1, rows, err);
}

/* A row of a level and those that it completes of the levels below. */
static int add_row(struct pyramid *p, struct image_writer *writer, int page, int64_t y,
                   const void *row, struct err *err)
{
    for (int number = 0; number < p->count; number++, y /= 2) {
        struct level *level = &p->levels[number];
        uint8_t *upper = level->upper + (size_t)page * level->row;
        bool is_last = y + 1 == level->info.height;
        if (keep_row(p, writer, page, number, y, row, err))
            return -1;
        if (number + 1 == p->count)
            return 0;
        if (y % 2 == 0 && !is_last) {
            memcpy(upper, row, level->row);
            return 0;
        }
        reduce(level, y % 2 ? upper : row, row, level->reduced);
        row = level->reduced;
    }
    return 0;
}

static void take_channel(const struct image_info *info, const uint8_t *from, int channel,
                         uint8_t *to)
{
    size_t bytes = (size_t)info->bits / 8, step = (size_t)info->channels * bytes;
    from += (size_t)channel * bytes;
    for (int64_t x = 0; x < info->width; x++, from += step, to += bytes)
        memcpy(to, from, bytes);
}

static int write_ome(struct image_writer *writer, int64_t rows, const void *from, struct err *err)
{
    struct pyramid *p = writer->state;
    const struct image_info *info = &writer->info;
    size_t size = image_row_bytes(info);
    const uint8_t *row = from;
    for (int64_t j = 0; j < rows; j++, row += size)
        for (int page = 0; page < p->pages; page++) {
            if (p->pages > 1)
                take_channel(info, row, page, p->plane);
            if (add_row(p, writer, page, writer->next_row + j, p->pages > 1 ? p->plane : row, err))
                return -1;
        }
    return 0;
}

/* ---- begin and end ---- */

static int make_room(struct pyramid *p, struct err *err)
{
    size_t row = p->levels[0].row, pixel = row / (size_t)p->levels[0].info.width;
    p->band = malloc(row * TILE);
    p->tile = malloc(pixel * TILE * TILE);
    p->plane = malloc(row);
    bool failed = !p->band || !p->tile || !p->plane;
    for (int i = 0; i < p->count; i++) {
        p->levels[i].upper = malloc(p->levels[i].row * (size_t)p->pages);
        p->levels[i].reduced = malloc(p->levels[i].row);
        failed |= !p->levels[i].upper || !p->levels[i].reduced;
    }
    return failed ? err_memory(err, "rows of an OME-TIFF") : 0;
}

static int create_ome(struct image_writer *writer, struct err *err)
{
    struct pyramid *p = writer->state = calloc(1, sizeof *p);
    if (!p)
        return err_memory(err, "an OME-TIFF writer");
    p->fd = -1;
    p->pages = is_colored(&writer->info) ? 1 : writer->info.channels;
    plan_levels(p, &writer->info);
    if (make_room(p, err))
        return -1;
    if ((p->pages > 1 || p->count > 1) && (p->fd = io_temporary(err)) < 0)
        return -1;
    if (tiff_output_open(&p->output, writer, (uint64_t)p->page * (uint64_t)p->pages, err))
        return -1;
    return begin_page(p, writer, 0, 0, err);
}

static int finish_ome(struct image_writer *writer, struct err *err)
{
    struct pyramid *p = writer->state;
    for (int page = 0; page < p->pages; page++)
        for (int level = 0; level < p->count; level++)
            if (page || level ? write_page(p, writer, page, level, err) : end_page(p, writer, err))
                return -1;
    return tiff_output_finish(&p->output, writer, err);
}

static void release_ome(struct image_writer *writer)
{
    struct pyramid *p = writer->state;
    if (!p)
        return;
    tiff_output_release(&p->output);
    if (p->fd >= 0)
        close(p->fd);
    for (int i = 0; i < p->count; i++) {
        free(p->levels[i].upper);
        free(p->levels[i].reduced);
    }
    free(p->band);
    free(p->tile);
    free(p->plane);
    free(p);
}

const struct image_encoder image_ome_encoder = {create_ome, write_ome, finish_ome, release_ome};
