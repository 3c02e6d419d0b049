#include "draw/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw/letters.h"

#define WHITE 255

/* ---- layout ---- */

static int check_inset(const struct figure *figure, const struct inset *inset, struct err *err)
{
    if (inset->width == 0 || inset->height == 0 || inset->x >= figure->full_width ||
        inset->y >= figure->full_height || inset->width > figure->full_width - inset->x ||
        inset->height > figure->full_height - inset->y)
        return err_set(err, STATUS_USAGE, "inset %zu,%zu,%zu,%zu is not inside %zu x %zu pixels",
                       inset->x, inset->y, inset->width, inset->height, figure->full_width,
                       figure->full_height);
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

/* Letters are as high as the panel's 28th part, but so that every title fits in its panel. */
static void lay_titles(struct figure *figure)
{
    figure->unit = fmax((double)figure->width / 28 / LETTERS_ABOVE, 1.2);
    for (int i = 0; i < figure->title_count; i++)
        figure->unit = fmin(figure->unit,
                            (double)figure->width / fmax(letters_width(figure->titles[i]) + 2, 1));
    if (figure->title_count)
        figure->head = (size_t)(figure->unit * (LETTERS_ABOVE + LETTERS_BELOW + 3)) + 1;
}

int figure_start(struct figure *figure, struct err *err)
{
    figure->factor = figure->factor ? figure->factor : 1;
    figure->full_width = figure->full_width ? figure->full_width : figure->width;
    figure->full_height = figure->full_height ? figure->full_height : figure->height;
    lay_titles(figure);
    size_t panels = (size_t)figure->panel_count;
    size_t rows = 2 * (2 * (size_t)figure->style.line + 1);
    figure->gap = figure->width / 100 + 4;
    figure->frame = 1 + figure->width / 500;
    figure->total_width = panels * figure->width + (panels - 1) * figure->gap;
    figure->total_height = figure->head + figure->height;
    figure->on = malloc(2 * figure->width);
    figure->zoomed_rgb = malloc(figure->width * 3);
    figure->zoomed_rows = calloc(rows * figure->width, sizeof *figure->zoomed_rows);
    figure->ink = malloc(2 * figure->width * sizeof *figure->ink);
    if (!figure->on || !figure->zoomed_rgb || !figure->zoomed_rows || !figure->ink)
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
    free(figure->ink);
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

/* ---- letters ---- */

static void mix_ink(uint8_t *to, const float *ink, size_t width, uint8_t level)
{
    for (size_t i = 0; i < 3 * width; i++)
        to[i] = (uint8_t)lrintf((float)to[i] + ((float)level - (float)to[i]) * ink[i / 3]);
}

static float *clean_ink(struct figure *figure, int which)
{
    float *ink = figure->ink + (size_t)which * figure->width;
    memset(ink, 0, figure->width * sizeof *ink);
    return ink;
}

void figure_titles(struct figure *figure, size_t y, uint8_t *to)
{
    memset(to, WHITE, 3 * figure->total_width);
    for (int i = 0; i < figure->title_count && i < figure->panel_count; i++) {
        float *ink = clean_ink(figure, 0);
        double room = (double)figure->width - letters_width(figure->titles[i]) * figure->unit;
        letters_row(figure->titles[i], figure->unit, fmax(room / 2, 0),
                    (double)y + 0.5 - 1.5 * figure->unit, 0, figure->width, ink);
        mix_ink(to + (size_t)i * 3 * (figure->width + figure->gap), ink, figure->width, 0);
    }
}

/* The share of a row from y to y + 1 that a box from top to bottom covers, or of a pixel. */
static double shared(double at, double from, double end)
{
    return fmax(fmin(at + 1, end) - fmax(at, from), 0);
}

static void add_box(float *ink, size_t width, double y, const double box[4])
{
    double rows = shared(y, box[1], box[3]);
    for (size_t x = 0; x < width && rows > 0; x++)
        ink[x] = fmaxf(ink[x], (float)(rows * shared((double)x, box[0], box[2])));
}

/* White with a black rim, in the lower right corner of the first panel: a bar and its length. */
static void draw_bar(struct figure *figure, size_t y, uint8_t *to)
{
    double unit = figure->unit, rim = unit * 0.5, row = (double)y;
    double right = (double)figure->width - 3 * unit, left = right - figure->bar;
    double bottom = (double)figure->height - 3 * unit, top = bottom - 1.6 * unit;
    double text_top = top - (LETTERS_ABOVE + LETTERS_BELOW) * unit;
    if (row + 1 < text_top - 2 * unit || row > bottom + unit)
        return;
    double middle = (left + right - letters_width(figure->bar_text) * unit) / 2;
    middle = fmax(fmin(middle, right - letters_width(figure->bar_text) * unit), 0);
    for (int inner = 0; inner < 2; inner++) {
        double r = inner ? 0 : rim;
        float *ink = clean_ink(figure, inner);
        add_box(ink, figure->width, row, (double[]){left - r, top - r, right + r, bottom + r});
        letters_row(figure->bar_text, unit, middle, row + 0.5 - text_top, r, figure->width, ink);
        mix_ink(to, ink, figure->width, inner ? WHITE : 0);
    }
}

/* ---- what insets show ---- */

void figure_keep_rgb(struct figure *figure, size_t y, size_t rows, const uint8_t *rgb)
{
    for (int i = 0; i < figure->inset_count; i++) {
        struct inset *inset = &figure->insets[i];
        for (size_t k = 0; k < rows; k++)
            if (y + k >= inset->y && y + k - inset->y < inset->height)
                memcpy(inset->rgb + 3 * (y + k - inset->y) * inset->width,
                       rgb + 3 * (k * figure->full_width + inset->x), 3 * inset->width);
    }
}

void figure_keep_labels(struct figure *figure, size_t y, size_t rows, const uint32_t *labels,
                        bool truth)
{
    for (int i = 0; i < figure->inset_count; i++) {
        struct inset *inset = &figure->insets[i];
        uint32_t *to = truth ? inset->truth : inset->prediction;
        for (size_t k = 0; k < rows; k++)
            if (y + k >= inset->y && y + k - inset->y < inset->height)
                memcpy(to + (y + k - inset->y) * inset->width,
                       labels + k * figure->full_width + inset->x, inset->width * sizeof *to);
    }
}

/* Where an inset is in the panel. */
static struct inset in_panel(const struct figure *figure, const struct inset *inset)
{
    size_t f = figure->factor;
    return (struct inset){.x = inset->x / f,
                          .y = inset->y / f,
                          .width = (inset->x + inset->width - 1) / f - inset->x / f + 1,
                          .height = (inset->y + inset->height - 1) / f - inset->y / f + 1};
}

void figure_panels(struct figure *figure, size_t y, const struct figure_row *row, uint8_t *to)
{
    memset(to, WHITE, 3 * figure->total_width);
    for (int p = 0; p < figure->panel_count; p++, to += 3 * (figure->width + figure->gap)) {
        draw_panel(figure, figure->panels[p], row, figure->width, to);
        for (int i = 0; i < figure->inset_count; i++) {
            struct inset inset = in_panel(figure, &figure->insets[i]);
            if (y >= inset.y && y - inset.y < inset.height)
                draw_frame(to + 3 * inset.x, inset.width, inset.height, y - inset.y, figure->frame,
                           frame_color(i));
        }
        if (p == 0 && figure->bar > 0)
            draw_bar(figure, y, to);
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

/* The label of the four about a place that weighs most, so that outlines of large pixels are no
 * steps. */
static uint32_t heaviest(const uint32_t *a, const uint32_t *b, size_t next, unsigned right,
                         unsigned down)
{
    const uint32_t labels[4] = {a[0], a[next], b[0], b[next]};
    const unsigned weights[4] = {(256 - right) * (256 - down), right * (256 - down),
                                 (256 - right) * down, right * down};
    unsigned best = 0, most = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned sum = 0;
        for (unsigned j = 0; j < 4; j++)
            sum += labels[j] == labels[i] ? weights[j] : 0;
        if (sum > most) {
            most = sum;
            best = i;
        }
    }
    return labels[best];
}

static void zoom_labels(const struct figure *figure, const struct inset *inset,
                        const uint32_t *labels, size_t y, uint32_t *to)
{
    unsigned down, right;
    size_t top = place(y, zoomed_height(figure, inset), inset->height, &down);
    for (size_t x = 0; x < figure->inset_width; x++) {
        size_t left = place(x, figure->inset_width, inset->width, &right);
        const uint32_t *a = labels + top * inset->width + left;
        to[x] = heaviest(a, a + (down ? inset->width : 0), right ? 1 : 0, right, down);
    }
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
