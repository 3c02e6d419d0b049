#include "draw/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "core/spill.h"
#include "draw/draw.h"
#include "pixels/normalize.h"

#define LOW_PERCENTILE  0.5
#define HIGH_PERCENTILE 99.5
#define IN_MEMORY       ((size_t)1 << 24) /* bytes of an image that waits */

struct overlay {
    struct overlay_options options;
    struct draw_style style;
    int colors;                /* channels shown: 1 or 3 */
    size_t added, read, drawn; /* rows */
    uint32_t *labels;          /* 2 line + 1 rows, row y in place y % (2 line + 1) */
    uint8_t *pictures;         /* line + 1 rows of RGB, in the same way */
    float *values;             /* a row */
    uint8_t *on;
    double low, high; /* values shown black and white */
    bool waits;
    struct spill waiting_labels, waiting_pixels;
    struct normalize range;
};

static size_t label_rows(const struct overlay *o)
{
    return 2 * (size_t)o->style.line + 1;
}

static size_t picture_rows(const struct overlay *o)
{
    return (size_t)o->style.line + 1;
}

static size_t pixel_row_bytes(const struct overlay *o)
{
    return o->options.width * o->options.channels * dtype_size(o->options.dtype);
}

static int make_waiting_room(struct overlay *o, struct err *err)
{
    size_t labels[] = {o->options.height, o->options.width}, label_bytes, pixel_bytes;
    size_t pixels[] = {o->options.height, o->options.width, o->options.channels};
    if (array_check_bytes(DTYPE_U32, 2, labels, &label_bytes, err) ||
        array_check_bytes(o->options.dtype, 3, pixels, &pixel_bytes, err) ||
        spill_new_claimed(&o->waiting_labels, label_bytes, IN_MEMORY, err) ||
        spill_new_claimed(&o->waiting_pixels, pixel_bytes, IN_MEMORY, err))
        return -1;
    return normalize_new(&o->range, DTYPE_F32, err);
}

static int make_rows(struct overlay *o, struct err *err)
{
    size_t width = o->options.width;
    o->labels = malloc(label_rows(o) * width * sizeof *o->labels);
    o->pictures = malloc(picture_rows(o) * width * 3);
    o->values = malloc(3 * width * sizeof *o->values);
    o->on = malloc(2 * width);
    return o->labels && o->pictures && o->values && o->on ? 0 : err_memory(err, "an overlay");
}

int overlay_new(struct overlay **overlay, const struct overlay_options *options, struct err *err)
{
    enum dtype dtype = options->dtype;
    *overlay = NULL;
    if (dtype != DTYPE_U8 && dtype != DTYPE_U16 && dtype != DTYPE_F32)
        return err_set(err, STATUS_DATA, "an image of %s has no picture", dtype_name(dtype));
    struct overlay *o = calloc(1, sizeof *o);
    if (!o)
        return err_memory(err, "an overlay");
    *o = (struct overlay){.options = *options, .high = 255, .waits = dtype != DTYPE_U8};
    o->style.line = draw_line_width(options->width, options->height);
    o->colors = options->channels == 3 || options->channels == 4 ? 3 : 1;
    if (make_rows(o, err) || (o->waits && make_waiting_room(o, err))) {
        overlay_free(o);
        return -1;
    }
    *overlay = o;
    return 0;
}

void overlay_free(struct overlay *overlay)
{
    if (!overlay)
        return;
    free(overlay->labels);
    free(overlay->pictures);
    free(overlay->values);
    free(overlay->on);
    spill_free(&overlay->waiting_labels);
    spill_free(&overlay->waiting_pixels);
    normalize_free(&overlay->range);
    free(overlay);
}

/* ---- drawing ---- */

static void take_values(struct overlay *o, const void *pixels)
{
    draw_values(pixels, o->options.width, (int)o->options.channels,
                8 * (int)dtype_size(o->options.dtype), false, o->colors, o->values);
}

/* Draws the next row; those below it that an outline needs were read. */
static int draw_row(struct overlay *o, struct err *err)
{
    const uint32_t *around[2 * DRAW_MAX_LINE + 1];
    size_t y = o->drawn, line = (size_t)o->style.line, width = o->options.width;
    uint8_t *picture = o->pictures + y % picture_rows(o) * 3 * width;
    for (size_t i = 0; i < label_rows(o); i++) {
        bool inside = y + i >= line && y + i - line < o->options.height;
        around[i] = inside ? o->labels + (y + i - line) % label_rows(o) * width : NULL;
    }
    draw_labels(picture, around, width, &o->style, o->on);
    o->drawn++;
    return o->options.take(o->options.user, picture, err);
}

static int read_row(struct overlay *o, const uint32_t *labels, const void *pixels, struct err *err)
{
    size_t width = o->options.width;
    memcpy(o->labels + o->read % label_rows(o) * width, labels, width * sizeof *labels);
    take_values(o, pixels);
    draw_display(o->values, width, o->colors, o->low, o->high,
                 o->pictures + o->read % picture_rows(o) * 3 * width);
    o->read++;
    return o->read > (size_t)o->style.line ? draw_row(o, err) : 0;
}

/* ---- rows that wait for the range of values ---- */

static void *waiting_row(const struct overlay *o, size_t y)
{
    return (char *)o->waiting_pixels.data + y * pixel_row_bytes(o);
}

static uint32_t *waiting_label_row(const struct overlay *o, size_t y)
{
    return (uint32_t *)o->waiting_labels.data + y * o->options.width;
}

static int keep_row(struct overlay *o, const uint32_t *labels, const void *pixels, struct err *err)
{
    size_t y = o->added, label_bytes = o->options.width * sizeof *labels;
    if (spill_reserve(&o->waiting_labels, (y + 1) * label_bytes, err) ||
        spill_reserve(&o->waiting_pixels, (y + 1) * pixel_row_bytes(o), err))
        return -1;
    memcpy(waiting_label_row(o, y), labels, label_bytes);
    memcpy(waiting_row(o, y), pixels, pixel_row_bytes(o));
    take_values(o, pixels);
    normalize_count(&o->range, o->values, o->options.width * (size_t)o->colors);
    return 0;
}

static int find_range(struct overlay *o, struct err *err)
{
    int more = normalize_choose(&o->range, LOW_PERCENTILE, HIGH_PERCENTILE, err);
    if (more < 0)
        return -1;
    for (size_t y = 0; more && y < o->added; y++) {
        take_values(o, waiting_row(o, y));
        normalize_refine(&o->range, o->values, o->options.width * (size_t)o->colors);
    }
    normalize_range(&o->range, &o->low, &o->high);
    return 0;
}

int overlay_add(struct overlay *overlay, const uint32_t *labels, const void *pixels,
                struct err *err)
{
    if (overlay->added == overlay->options.height)
        return err_set(err, STATUS_BUG, "more rows than the image has");
    int rc = (overlay->waits ? keep_row : read_row)(overlay, labels, pixels, err);
    overlay->added++;
    return rc;
}

int overlay_finish(struct overlay *overlay, struct err *err)
{
    struct overlay *o = overlay;
    if (o->added < o->options.height)
        return err_set(err, STATUS_BUG, "rows of an overlay are missing");
    int rc = o->waits ? find_range(o, err) : 0;
    for (size_t y = 0; rc == 0 && o->waits && y < o->added; y++)
        rc = read_row(o, waiting_label_row(o, y), waiting_row(o, y), err);
    while (rc == 0 && o->drawn < o->options.height)
        rc = draw_row(o, err);
    return rc;
}
