#include "draw/figure.h"

#include <stdlib.h>
#include <string.h>

#define WHITE 255

/* ---- layout ---- */

static int check_inset(const struct figure *figure, const struct inset *inset, struct err *err)
{
    if (inset->width == 0 || inset->height == 0 || inset->x >= figure->width ||
        inset->y >= figure->height || inset->width > figure->width - inset->x ||
        inset->height > figure->height - inset->y)
        return err_set(err, STATUS_USAGE, "inset %zu,%zu,%zu,%zu is not inside %zu x %zu pixels",
                       inset->x, inset->y, inset->width, inset->height, figure->width,
                       figure->height);
    return 0;
}

static int keep_inset(struct inset *inset, struct err *err)
{
    size_t pixels = inset->width * inset->height;
    inset->rgb = malloc(pixels * 3);
    inset->prediction = calloc(pixels, sizeof *inset->prediction);
    inset->truth = calloc(pixels, sizeof *inset->truth);
    if (!inset->rgb || !inset->prediction || !inset->truth)
        return err_memory(err, "an inset");
    return 0;
}

static size_t zoomed_height(const struct figure *figure, const struct inset *inset)
{
    size_t height = (inset->height * figure->inset_width + inset->width / 2) / inset->width;
    return height ? height : 1;
}

static int lay_insets(struct figure *figure, struct err *err)
{
    size_t count = (size_t)figure->inset_count, gaps = (count - 1) * figure->gap;
    if (figure->width < gaps + 8 * count)
        return err_set(err, STATUS_USAGE, "%zu insets do not fit in %zu pixels", count,
                       figure->width);
    figure->inset_width = (figure->width - gaps) / count;
    for (size_t i = 0; i < count; i++) {
        if (check_inset(figure, &figure->insets[i], err) || keep_inset(&figure->insets[i], err))
            return -1;
        size_t height = zoomed_height(figure, &figure->insets[i]);
        if (height > figure->inset_height)
            figure->inset_height = height;
    }
    figure->total_height += figure->gap + figure->inset_height;
    return 0;
}

int figure_start(struct figure *figure, struct err *err)
{
    size_t panels = (size_t)figure->panel_count;
    size_t rows = 2 * (2 * (size_t)figure->style.line + 1);
    figure->gap = figure->width / 100 + 4;
    figure->frame = 1 + figure->width / 500;
    figure->total_width = panels * figure->width + (panels - 1) * figure->gap;
    figure->total_height = figure->height;
    figure->on = malloc(2 * figure->width);
    figure->zoomed_rgb = malloc(figure->width * 3);
    figure->zoomed_rows = calloc(rows * figure->width, sizeof *figure->zoomed_rows);
    if (!figure->on || !figure->zoomed_rgb || !figure->zoomed_rows)
        return err_memory(err, "a figure");
    return figure->inset_count ? lay_insets(figure, err) : 0;
}

void figure_free(struct figure *figure)
{
    for (int i = 0; i < figure->inset_count; i++) {
        free(figure->insets[i].rgb);
        free(figure->insets[i].prediction);
        free(figure->insets[i].truth);
    }
    free(figure->on);
    free(figure->zoomed_rgb);
    free(figure->zoomed_rows);
    *figure = (struct figure){0};
}

/* ---- panels ---- */

static void draw_in_color(struct figure *figure, const uint32_t *const *rows, size_t width,
                          struct color color, uint8_t *to)
{
    struct draw_style style = {.line = figure->style.line, .single = true, .color = color};
    draw_labels(to, rows, width, &style, figure->on);
}

static void draw_comparison(struct figure *figure, const struct figure_row *row, size_t width,
                            uint8_t *to)
{
    int line = figure->style.line;
    if (!figure->compare_by_outlines) {
        draw_errors(to, row->prediction[line], row->truth[line], width, figure->error_opacity);
        return;
    }
    draw_in_color(figure, row->truth, width, draw_false_negative, to);
    draw_in_color(figure, row->prediction, width, draw_true_positive, to);
}

static void draw_panel(struct figure *figure, enum panel panel, const struct figure_row *row,
                       size_t width, uint8_t *to)
{
    memcpy(to, row->rgb, 3 * width);
    switch (panel) {
    case PANEL_IMAGE:
        break;
    case PANEL_TRUTH:
        draw_labels(to, row->truth, width, &figure->style, figure->on);
        break;
    case PANEL_PREDICTION:
        draw_labels(to, row->prediction, width, &figure->style, figure->on);
        break;
    case PANEL_ERRORS:
        draw_comparison(figure, row, width, to);
        break;
    }
}

/* ---- frames ---- */

/* The part of a frame of width x height that lies in its row y: a line with a
 * black one inside of it, to be seen on bright and dark. */
static void draw_frame(uint8_t *to, size_t width, size_t height, size_t y, size_t line,
                       struct color color)
{
    static const struct color black = {0, 0, 0};
    size_t from_edge = y < height - 1 - y ? y : height - 1 - y;
    for (size_t x = 0; x < width; x++) {
        size_t depth = x < width - 1 - x ? x : width - 1 - x;
        if (from_edge < depth)
            depth = from_edge;
        if (depth <= line)
            memcpy(to + 3 * x, depth < line ? &color : &black, 3);
    }
}

static struct color frame_color(int inset)
{
    static const struct color colors[] = {{240, 228, 66}, {86, 180, 233}, {204, 121, 167}};
    return colors[inset % 3];
}

static void keep_rows(struct inset *inset, size_t y, const struct figure_row *row, int line)
{
    if (y < inset->y || y - inset->y >= inset->height)
        return;
    size_t at = (y - inset->y) * inset->width, size = inset->width * sizeof *inset->truth;
    memcpy(inset->rgb + 3 * at, row->rgb + 3 * inset->x, 3 * inset->width);
    memcpy(inset->prediction + at, row->prediction[line] + inset->x, size);
    if (row->truth)
        memcpy(inset->truth + at, row->truth[line] + inset->x, size);
}

void figure_panels(struct figure *figure, size_t y, const struct figure_row *row, uint8_t *to)
{
    memset(to, WHITE, 3 * figure->total_width);
    for (int i = 0; i < figure->inset_count; i++)
        keep_rows(&figure->insets[i], y, row, figure->style.line);
    for (int p = 0; p < figure->panel_count; p++, to += 3 * (figure->width + figure->gap)) {
        draw_panel(figure, figure->panels[p], row, figure->width, to);
        for (int i = 0; i < figure->inset_count; i++) {
            const struct inset *inset = &figure->insets[i];
            if (y >= inset->y && y - inset->y < inset->height)
                draw_frame(to + 3 * inset->x, inset->width, inset->height, y - inset->y,
                           figure->frame, frame_color(i));
        }
    }
}

/* ---- insets ---- */

/* Where the middle of pixel `at` of `zoomed` lies among `size` pixels: the pixel
 * before it, and the share of the next, of 256. */
static size_t place(size_t at, size_t zoomed, size_t size, unsigned *share)
{
    double middle = ((double)at + 0.5) * (double)size / (double)zoomed - 0.5;
    if (middle < 0)
        middle = 0;
    size_t before = (size_t)middle;
    *share = before + 1 < size ? (unsigned)((middle - (double)before) * 256) : 0;
    return before;
}

static void zoom_rgb(const struct figure *figure, const struct inset *inset, size_t y, uint8_t *to)
{
    unsigned down, right;
    size_t top = place(y, zoomed_height(figure, inset), inset->height, &down);
    for (size_t x = 0; x < figure->inset_width; x++) {
        size_t left = place(x, figure->inset_width, inset->width, &right);
        const uint8_t *a = inset->rgb + 3 * (top * inset->width + left);
        const uint8_t *b = a + (down ? 3 * inset->width : 0);
        size_t next = right ? 3 : 0;
        for (size_t c = 0; c < 3; c++) {
            unsigned above = a[c] * (256 - right) + a[c + next] * right;
            unsigned below = b[c] * (256 - right) + b[c + next] * right;
            *to++ = (uint8_t)((above * (256 - down) + below * down + (1 << 15)) >> 16);
        }
    }
}

static void zoom_labels(const struct figure *figure, const struct inset *inset,
                        const uint32_t *labels, size_t y, uint32_t *to)
{
    size_t row = y * inset->height / zoomed_height(figure, inset);
    for (size_t x = 0; x < figure->inset_width; x++)
        to[x] = labels[row * inset->width + x * inset->width / figure->inset_width];
}

/* Rows of labels around row y of an enlarged inset. */
static void zoom_rows(const struct figure *figure, const struct inset *inset,
                      const uint32_t *labels, size_t y, uint32_t *memory, const uint32_t **rows)
{
    size_t height = zoomed_height(figure, inset), line = (size_t)figure->style.line;
    for (size_t i = 0; i <= 2 * line; i++, memory += figure->width) {
        bool inside = y + i >= line && y + i - line < height;
        rows[i] = inside ? memory : NULL;
        if (inside)
            zoom_labels(figure, inset, labels, y + i - line, memory);
    }
}

static void draw_inset(struct figure *figure, int number, size_t y, uint8_t *to)
{
    const struct inset *inset = &figure->insets[number];
    size_t height = zoomed_height(figure, inset), count = 2 * (size_t)figure->style.line + 1;
    if (y >= height)
        return;
    const uint32_t *prediction[2 * DRAW_MAX_LINE + 1], *truth[2 * DRAW_MAX_LINE + 1];
    zoom_rgb(figure, inset, y, figure->zoomed_rgb);
    zoom_rows(figure, inset, inset->prediction, y, figure->zoomed_rows, prediction);
    zoom_rows(figure, inset, inset->truth, y, figure->zoomed_rows + count * figure->width, truth);
    struct figure_row row = {figure->zoomed_rgb, prediction, truth};
    for (int p = 0; p < figure->panel_count; p++, to += 3 * (figure->width + figure->gap)) {
        draw_panel(figure, figure->panels[p], &row, figure->inset_width, to);
        draw_frame(to, figure->inset_width, height, y, figure->frame, frame_color(number));
    }
}

void figure_insets(struct figure *figure, size_t y, uint8_t *to)
{
    memset(to, WHITE, 3 * figure->total_width);
    if (y < figure->gap)
        return;
    for (int i = 0; i < figure->inset_count; i++)
        draw_inset(figure, i, y - figure->gap,
                   to + 3 * (size_t)i * (figure->inset_width + figure->gap));
}
