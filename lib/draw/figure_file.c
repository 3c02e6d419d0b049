#include "draw/figure_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct work {
    const struct figure_options *options;
    const struct figure_files *files;
    struct figure figure;
    struct layer image, mask, truth;
};

/* ---- the scale bar ---- */

/* 1, 2 or 5 times a power of ten, at most that. */
static double round_down(double value)
{
    double power = pow(10, floor(log10(value))), share = value / power;
    return power * (share >= 5 ? 5 : share >= 2 ? 2 : 1);
}

static int set_bar(struct work *w, struct err *err)
{
    const struct figure_options *options = w->options;
    double pixel = options->pixel_size[1] > 0 ? options->pixel_size[1] : w->image.info.pixel_width;
    double length = options->bar;
    if (length < 0)
        return 0;
    if (!(pixel > 0))
        return err_set(err, STATUS_DATA,
                       "draw '%s': the image does not tell its pixel size (use --pixel-size)",
                       w->files->image);
    pixel *= (double)w->image.factor;
    if (length == FIGURE_AUTO_BAR)
        length = round_down(pixel * (double)w->image.width / 4);
    w->figure.bar = length / pixel;
    if (w->figure.bar < 1 || w->figure.bar > 0.9 * (double)w->image.width)
        return err_set(err, STATUS_USAGE, "draw '%s': a scale bar of %g um is %.0f of %zu pixels",
                       w->files->image, length, w->figure.bar, w->image.width);
    snprintf(w->figure.bar_text, sizeof w->figure.bar_text,
             length >= 1000   ? "%g mm"
             : length >= 0.99 ? "%g \xc2\xb5m"
                              : "%g nm",
             length >= 1000   ? length / 1000
             : length >= 0.99 ? length
                              : length * 1000);
    return 0;
}

/* ---- the figure ---- */

static int line_width(const struct work *w)
{
    int line = w->options->style.line;
    return line >= 0 ? line : draw_line_width(w->image.width, w->image.height);
}

static int set_figure(struct work *w, struct err *err)
{
    const struct figure_options *options = w->options;
    w->figure = (struct figure){
        .width = w->image.width,
        .height = w->image.height,
        .full_width = (size_t)w->image.info.width,
        .full_height = (size_t)w->image.info.height,
        .factor = w->image.factor,
        .panel_count = options->panel_count,
        .title_count = options->title_count,
        .style = options->style,
        .compare_by_outlines = options->compare_by_outlines,
        .error_opacity = options->error_opacity,
        .inset_count = options->inset_count,
    };
    w->figure.style.line = line_width(w);
    memcpy(w->figure.panels, options->panels, sizeof options->panels);
    memcpy(w->figure.titles, options->titles, sizeof options->titles);
    for (int i = 0; i < options->inset_count; i++) {
        const int64_t *from = options->insets[i];
        w->figure.insets[i] = (struct inset){.x = (size_t)from[0],
                                             .y = (size_t)from[1],
                                             .width = (size_t)from[2],
                                             .height = (size_t)from[3]};
    }
    return set_bar(w, err) || figure_start(&w->figure, err) ? -1 : 0;
}

static void keep_image(void *user, size_t y, size_t rows, const void *block)
{
    figure_keep_rgb(user, y, rows, block);
}

static void keep_mask(void *user, size_t y, size_t rows, const void *block)
{
    figure_keep_labels(user, y, rows, block, false);
}

static void keep_truth(void *user, size_t y, size_t rows, const void *block)
{
    figure_keep_labels(user, y, rows, block, true);
}

static void keep_with(struct layer *layer, struct figure *figure,
                      void (*keep)(void *user, size_t y, size_t rows, const void *block))
{
    layer->keep = keep;
    layer->user = figure;
}

static int open_layers(struct work *w, struct err *err)
{
    if (layer_open_image(&w->image, w->files->image, &w->options->layers, err) ||
        set_figure(w, err))
        return -1;
    int line = w->figure.style.line;
    if (layer_open_mask(&w->mask, w->files->mask, &w->image, line, err) ||
        (w->files->truth && layer_open_mask(&w->truth, w->files->truth, &w->image, line, err)))
        return -1;
    keep_with(&w->image, &w->figure, keep_image);
    keep_with(&w->mask, &w->figure, keep_mask);
    keep_with(&w->truth, &w->figure, keep_truth);
    return 0;
}

/* A row of the panels. */
static int draw_panels(struct work *w, size_t y, uint8_t *to, struct err *err)
{
    const uint32_t *found[2 * DRAW_MAX_LINE + 1], *right[2 * DRAW_MAX_LINE + 1];
    int line = w->figure.style.line;
    bool has_truth = w->files->truth != NULL;
    if (layer_next_row(&w->image, err) || layer_rows_around(&w->mask, y, line, found, err) ||
        (has_truth && layer_rows_around(&w->truth, y, line, right, err)))
        return -1;
    struct figure_row row = {w->image.rows, found, has_truth ? right : NULL};
    figure_panels(&w->figure, y, &row, to);
    return 0;
}

static int draw_row(struct work *w, size_t y, uint8_t *to, struct err *err)
{
    size_t head = w->figure.head, below = head + w->figure.height;
    if (y >= head && y < below)
        return draw_panels(w, y - head, to, err);
    if (y < head)
        figure_titles(&w->figure, y, to);
    else
        figure_insets(&w->figure, y - below, to);
    return 0;
}

static int draw(struct work *w, struct image_writer *writer, struct err *err)
{
    uint8_t *to = malloc(3 * w->figure.total_width);
    int result = to ? 0 : err_memory(err, "a row");
    for (size_t y = 0; result == 0 && y < w->figure.total_height; y++) {
        result = draw_row(w, y, to, err);
        if (result == 0)
            result = image_write_rows(writer, 1, to, err);
        if (w->options->progress)
            w->options->progress("rows", y + 1, w->figure.total_height);
    }
    free(to);
    return result;
}

/* ---- the file ---- */

static int create_output(struct image_writer **writer, const struct work *w, struct err *err)
{
    double shrunk = (double)w->image.factor;
    struct image_info info = {
        .width = (int64_t)w->figure.total_width,
        .height = (int64_t)w->figure.total_height,
        .channels = 3,
        .bits = 8,
        .pixel_width = w->image.info.pixel_width * shrunk,
        .pixel_height = w->image.info.pixel_height * shrunk,
    };
    const char *path = w->files->output;
    return image_create(writer, path, image_format_of_name(path), IMAGE_DEFAULT_COMPRESSION, &info,
                        err);
}

static int write_output(struct work *w, struct err *err)
{
    struct image_writer *writer;
    if (create_output(&writer, w, err))
        return -1;
    if (draw(w, writer, err)) {
        image_abort(writer);
        return -1;
    }
    return image_commit(writer, err);
}

int figure_write(const struct figure_files *files, const struct figure_options *options,
                 struct err *err)
{
    struct work *w = calloc(1, sizeof *w);
    if (!w)
        return err_memory(err, "a figure");
    w->options = options;
    w->files = files;
    int result = open_layers(w, err) || write_output(w, err) ? -1 : 0;
    figure_free(&w->figure);
    layer_close(&w->image);
    layer_close(&w->mask);
    layer_close(&w->truth);
    free(w);
    return result;
}
