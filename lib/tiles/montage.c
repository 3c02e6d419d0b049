#include "tiles/montage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tiles/maps.h"

/* ---- kinds ---- */

const char *montage_array(enum montage_kind kind)
{
    static const char *const names[] = {
        [MONTAGE_LABELS] = "prob",
        [MONTAGE_PROB] = "prob",
        [MONTAGE_UNCERTAINTY] = "uncertainty",
        [MONTAGE_LOGITS] = "logits",
        [MONTAGE_FLOWS] = "flows",
        [MONTAGE_MASK] = "mask",
        [MONTAGE_IMAGE] = "image",
    };
    return names[kind];
}

static bool is_blended(enum montage_kind kind)
{
    return kind != MONTAGE_MASK && kind != MONTAGE_IMAGE;
}

int montage_axis(enum montage_kind kind)
{
    return is_blended(kind) && kind != MONTAGE_UNCERTAINTY;
}

size_t montage_planes(enum montage_kind kind, const struct array *tile)
{
    if (kind == MONTAGE_UNCERTAINTY || kind == MONTAGE_MASK)
        return 1;
    return tile->shape[kind == MONTAGE_IMAGE ? 2 : 0];
}

/* Blended planes that become channels. */
static bool is_channels(enum montage_kind kind)
{
    return kind == MONTAGE_LOGITS || kind == MONTAGE_FLOWS;
}

enum image_format montage_format(enum montage_kind kind, const struct array *tile)
{
    bool needs_tiff = is_channels(kind) || (!is_blended(kind) && dtype_size(tile->dtype) > 2);
    return needs_tiff ? IMAGE_TIFF : IMAGE_PNG;
}

/* ---- begin and end ---- */

/* Bits and channels of the file. */
static struct image_info plan_file(const struct montage *m, const struct gather_image *image,
                                   enum image_format format)
{
    enum montage_kind kind = m->options.kind;
    struct image_info info = {.width = image->width,
                              .height = image->height,
                              .channels = 1,
                              .bits = 8,
                              .pixel_width = image->pixel_width,
                              .pixel_height = image->pixel_height};
    if (kind == MONTAGE_PROB || kind == MONTAGE_UNCERTAINTY)
        info.bits = format == IMAGE_PNG ? 16 : 32;
    else if (kind != MONTAGE_LABELS)
        info.bits = 8 * (int)dtype_size(m->dtype);
    if (is_channels(kind) || kind == MONTAGE_IMAGE)
        info.channels = (int)m->planes;
    info.is_label = kind == MONTAGE_MASK && m->dtype == DTYPE_U32;
    info.is_discrete = kind == MONTAGE_LABELS || kind == MONTAGE_MASK;
    return info;
}

static void name_channel(const struct montage *m, int channel, char name[32])
{
    static const char *const words[] = {
        [MONTAGE_LABELS] = "mask",
        [MONTAGE_PROB] = "probability of foreground",
        [MONTAGE_UNCERTAINTY] = "uncertainty",
        [MONTAGE_LOGITS] = "logit",
        [MONTAGE_FLOWS] = "flow",
        [MONTAGE_MASK] = "mask",
        [MONTAGE_IMAGE] = "channel",
    };
    enum montage_kind kind = m->options.kind;
    if (kind == MONTAGE_PROB && m->options.class >= 0)
        snprintf(name, 32, "probability of class %d", m->options.class);
    else if (kind == MONTAGE_FLOWS)
        snprintf(name, 32, "%s flow", channel ? "horizontal" : "vertical");
    else if (kind == MONTAGE_LOGITS || kind == MONTAGE_IMAGE)
        snprintf(name, 32, "%s %d", words[kind], channel);
    else
        snprintf(name, 32, "%s", words[kind]);
}

/* Pictures in color and in gray have no names. */
static void name_channels(struct montage *m)
{
    int channels = m->info.channels;
    if (channels > MONTAGE_MAX_NAMES || (m->options.kind == MONTAGE_IMAGE && channels <= 4))
        return;
    for (int c = 0; c < channels; c++) {
        name_channel(m, c, m->names[c]);
        m->name_list[c] = m->names[c];
    }
    m->info.channel_names = m->name_list;
}

static int make_rows(struct montage *m, struct err *err)
{
    struct mosaic_options options = {.width = m->info.width,
                                     .height = m->info.height,
                                     .blended = is_blended(m->options.kind),
                                     .labels = m->options.kind == MONTAGE_MASK,
                                     .planes = m->planes,
                                     .dtype = m->dtype,
                                     .blend = m->options.blend};
    m->line = malloc(image_row_bytes(&m->info));
    return m->line ? mosaic_new(&m->mosaic, &options, err) : err_memory(err, "a row");
}

int montage_begin(struct montage *montage, const struct montage_options *options,
                  const struct image_output *to, const struct gather_image *image,
                  int64_t mask_unit, const struct array *array, struct err *err)
{
    *montage = (struct montage){.options = *options,
                                .planes = montage_planes(options->kind, array),
                                .dtype = is_blended(options->kind) ? DTYPE_F32 : array->dtype,
                                .mask_unit = mask_unit};
    montage->info = plan_file(montage, image, to->format);
    name_channels(montage);
    if ((options->kind == MONTAGE_LABELS || options->has_outlines) &&
        montage->planes > MONTAGE_MAX_CLASSES)
        return err_set(err, STATUS_DATA, "%zu classes, at most %d are supported", montage->planes,
                       MONTAGE_MAX_CLASSES);
    if (make_rows(montage, err))
        return -1;
    return image_output_create(&montage->writer, to, &montage->info, err);
}

void montage_free(struct montage *montage)
{
    image_abort(montage->writer);
    mosaic_free(&montage->mosaic);
    free(montage->line);
    outlines_free(&montage->outlines);
    *montage = (struct montage){0};
}

int montage_outline(struct montage *montage, const struct image_output *to,
                    const struct array *image_tile, struct err *err)
{
    return outlines_begin(&montage->outlines, to, &montage->info, image_tile, err);
}

int montage_finish(struct montage *montage, struct err *err)
{
    bool has_outlines = montage->options.has_outlines;
    if (has_outlines && outlines_finish(&montage->outlines, err))
        return -1;
    struct image_writer *whole = montage->writer;
    montage->writer = NULL;
    if (image_commit(whole, err))
        return -1;
    return has_outlines ? outlines_commit(&montage->outlines, err) : 0;
}

/* ---- tiles in ---- */

static int add_array(struct mosaic *mosaic, const struct array *array,
                     const struct gather_tile *tile, struct err *err)
{
    if (array_count(array) == 0)
        return err_set(err, STATUS_DATA, "an empty tile");
    return mosaic_add(mosaic, array, tile->x, tile->y, tile->width, tile->height, err);
}

int montage_add(struct montage *montage, const struct array *array, const struct gather_tile *tile,
                struct err *err)
{
    return add_array(&montage->mosaic, array, tile, err);
}

int montage_add_under(struct montage *montage, const struct array *image_array,
                      const struct gather_tile *tile, struct err *err)
{
    return add_array(&montage->outlines.image, image_array, tile, err);
}

/* ---- rows out ---- */

static void label_line(struct montage *m, const float *row)
{
    maps_labels(row, m->planes, (size_t)m->info.width, m->options.threshold, m->line);
}

static void blended_line(struct montage *m, float *row)
{
    size_t width = (size_t)m->info.width;
    void *line = m->line;
    if (m->options.kind == MONTAGE_LABELS) {
        label_line(m, row);
        return;
    }
    if (is_channels(m->options.kind)) {
        maps_interleave(row, line, m->planes, width);
        return;
    }
    if (m->options.kind == MONTAGE_PROB)
        maps_probability(row, m->planes, width, m->options.class, row);
    if (m->info.bits == 32)
        memcpy(line, row, width * sizeof *row);
    else
        maps_to_16_bits(row, line, width);
}

/* White again is what was white in the mask's file. */
static bool has_unit(const struct montage *m)
{
    return m->options.kind == MONTAGE_MASK && ((m->dtype == DTYPE_U8 && m->mask_unit == 255) ||
                                               (m->dtype == DTYPE_U16 && m->mask_unit == 65535));
}

/* The row whose outlines are drawn. */
static void give_mask(struct montage *m, const void *row)
{
    if (!is_blended(m->options.kind)) {
        outlines_take_mask(&m->outlines, row, m->info.bits);
        return;
    }
    label_line(m, row);
    outlines_take_mask(&m->outlines, m->line, 8);
}

static int write_rows(void *user, void *rows, int64_t count, struct err *err)
{
    struct montage *m = user;
    bool blended = is_blended(m->options.kind);
    if (has_unit(m) &&
        maps_to_unit(rows, m->dtype, m->mask_unit, (size_t)(count * m->info.width), err))
        return -1;
    if (m->options.has_outlines)
        give_mask(m, rows);
    if (blended)
        blended_line(m, rows);
    return image_write_rows(m->writer, count, blended ? m->line : rows, err);
}

/* A row of the mask, then that of the image under it. */
static int write_both(struct montage *m, int64_t until, struct err *err)
{
    for (int64_t y = m->mosaic.next_row; y < until; y++)
        if (mosaic_give(&m->mosaic, y + 1, write_rows, m, err) ||
            outlines_draw(&m->outlines, y, err))
            return -1;
    return 0;
}

int montage_write(struct montage *montage, int64_t until, struct err *err)
{
    until = until < montage->info.height ? until : montage->info.height;
    if (montage->options.has_outlines)
        return write_both(montage, until, err);
    return mosaic_give(&montage->mosaic, until, write_rows, montage, err);
}

int64_t montage_uncovered(const struct montage *montage)
{
    return montage->mosaic.uncovered;
}
