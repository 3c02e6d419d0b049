/* overlay: masks drawn over the image that they belong to. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "draw/figure.h"
#include "image/mask.h"
#include "pixels/normalize.h"

static struct {
    const char *output, *truth;
    int style; /* of outline|fill|both, -1: not said */
    int line;  /* -1: by the size */
    double opacity;
    bool single, side_by_side;
    struct colour colour;
    enum panel panels[FIGURE_MAX_PANELS];
    int panel_count;
    int64_t insets[FIGURE_MAX_INSETS][4]; /* x, y, width, height */
    int inset_count;
    int64_t max_side;
    double range[2]; /* percentiles shown black and white */
    bool stretch;
} settings = {.output = "-", .style = -1, .line = -1, .opacity = 0.5, .range = {0.5, 99.5}};

static int read_color(const char *text, struct err *err)
{
    const char *digits = *text == '#' ? text + 1 : text;
    if (strlen(digits) != 6 || strspn(digits, "0123456789abcdefABCDEF") != 6)
        return err_set(err, STATUS_USAGE, "'%s' is not RRGGBB", text);
    unsigned long value = strtoul(digits, NULL, 16);
    settings.single = true;
    settings.colour =
        (struct colour){(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    return 0;
}

static const struct cli_option options[] = {
    {'o', "output", "FILE", "where to write, PNG or TIFF (default standard output)",
     CLI_TEXT(settings.output)},
    {'s', "style", "outline|fill|both", "how objects are drawn (default outline)",
     CLI_CHOICE(settings.style)},
    {'w', "width", "PIXELS", "width of outlines (default 1 and 1 more for each 600 pixels)",
     CLI_INT(settings.line, 1, DRAW_MAX_LINE)},
    {'a', "opacity", "SHARE", "of fillings, 0 to 1 (default 0.5)",
     CLI_REAL(settings.opacity, 0, 1)},
    {'c', "color|colour", "RRGGBB", "one color for all objects, in hexadecimal",
     CLI_CALL(read_color)},
    {'t', "truth", "MASK", "the true mask: draw right, wrong and missed pixels",
     CLI_TEXT(settings.truth)},
    {'p', "panel", NULL, "image, truth and prediction side by side",
     CLI_FLAG(settings.side_by_side)},
    {0, "panels", "NAME[,NAME...]", "these of image, truth, prediction and errors",
     CLI_CHOICE_OF(settings.panels[0], "image|truth|prediction|errors"),
     CLI_LIST(settings.panel_count, FIGURE_MAX_PANELS)},
    {'i', "inset", "X,Y,W,H", "enlarge this part of the image below; up to 6 times",
     CLI_INT(settings.insets[0][0], 0, INT32_MAX), CLI_PARTS(4, ','),
     CLI_TIMES(settings.inset_count, FIGURE_MAX_INSETS)},
    {'m', "max-side", "PIXELS", "shrink the image until no side is longer",
     CLI_INT(settings.max_side, 16, 1000000)},
    {0, "contrast", "LOW,HIGH",
     "percentiles shown black and white (default 0.5,99.5; 8 bits are shown as they are)",
     CLI_REAL(settings.range[0], 0, 100), CLI_PARTS(2, ','), CLI_GIVEN(settings.stretch)},
    PLANES_OPTIONS,
    {0},
};

static const struct cli_program program = {
    .name = "overlay",
    .purpose = "draw masks over images",
    .synopsis = "[options] IMAGE MASK",
    .options = options,
    .notes = "Errors are blue where both have an object, orange where only MASK has,\n"
             "yellow where only the true mask has.",
};

/* ---- options ---- */

static void set_panels(int count, const enum panel *panels)
{
    memcpy(settings.panels, panels, (size_t)count * sizeof *panels);
    settings.panel_count = count;
}

static void choose_panels(void)
{
    if (settings.panel_count)
        return;
    if (settings.side_by_side && settings.truth)
        set_panels(3, (enum panel[]){PANEL_IMAGE, PANEL_TRUTH, PANEL_PREDICTION});
    else if (settings.side_by_side)
        set_panels(2, (enum panel[]){PANEL_IMAGE, PANEL_PREDICTION});
    else
        set_panels(1, (enum panel[]){settings.truth ? PANEL_ERRORS : PANEL_PREDICTION});
}

static void check_options(void)
{
    if (cli_operand_count() != 2)
        cli_die_usage("an image and a mask are needed");
    int inputs = 0;
    inputs += strcmp(cli_operands()[0], "-") == 0;
    inputs += strcmp(cli_operands()[1], "-") == 0;
    inputs += settings.truth && strcmp(settings.truth, "-") == 0;
    if (inputs > 1)
        cli_die_usage("only one of the images can be standard input");
    for (int i = 0; i < settings.panel_count; i++)
        if (!settings.truth &&
            (settings.panels[i] == PANEL_TRUTH || settings.panels[i] == PANEL_ERRORS))
            cli_die_usage("a panel of the truth or of errors needs --truth");
    for (int i = 0; i < settings.inset_count; i++)
        if (settings.insets[i][2] == 0 || settings.insets[i][3] == 0)
            cli_die_usage("--inset: a part without pixels");
    if (settings.range[0] >= settings.range[1])
        cli_die_usage("--contrast: LOW is not below HIGH");
    struct err err;
    if (image_check_name(settings.output, &err))
        cli_die_err(&err);
    cli_refuse_terminal_for(settings.output, "an image");
}

/* ---- inputs ---- */

/* An image or a mask, shrunk as it is read.  Rows of labels are kept as many as
 * outlines need. */
struct layer {
    const char *path;
    struct image_reader *reader; /* of an image, */
    struct mask mask;            /* or of a mask */
    struct image_info info;
    size_t factor;        /* of shrinking */
    size_t width, height; /* shrunk */
    void *raw;            /* a row of the file */
    void *block;          /* `factor` rows as RGB or labels, not shrunk */
    void *rows;           /* `kept` shrunk rows, row y in place y % kept */
    size_t kept, next;    /* next: the first shrunk row that was not read */
};

static void die_memory(void)
{
    cli_die(STATUS_MEMORY, "out of memory for rows");
}

static void open_layer(struct layer *layer, const char *path, bool labels)
{
    struct err err;
    *layer = (struct layer){.path = path, .factor = 1};
    // cppcheck-suppress uninitvar ; an output
    if (labels ? mask_open(&layer->mask, path, &err) : image_open(&layer->reader, path, &err))
        cli_die_err(&err);
    layer->info = labels ? *layer->mask.info : *image_info(layer->reader);
    int64_t side = layer->info.width > layer->info.height ? layer->info.width : layer->info.height;
    if (settings.max_side && side > settings.max_side)
        layer->factor = (size_t)((side - 1) / settings.max_side + 1);
    layer->width = ((size_t)layer->info.width - 1) / layer->factor + 1;
    layer->height = ((size_t)layer->info.height - 1) / layer->factor + 1;
}

static void allocate_layer(struct layer *layer, size_t pixel_bytes, size_t kept)
{
    size_t row = (size_t)layer->info.width * pixel_bytes;
    layer->kept = kept;
    layer->raw = malloc(image_row_bytes(&layer->info));
    layer->block = malloc(row * layer->factor);
    layer->rows = malloc(layer->width * pixel_bytes * kept);
    if (!layer->raw || !layer->block || !layer->rows)
        die_memory();
}

static void open_mask(struct layer *mask, const char *path, const struct layer *image, int line)
{
    struct err err;
    open_layer(mask, path, true);
    if (mask->info.width != image->info.width || mask->info.height != image->info.height)
        cli_die(STATUS_DATA, "read '%s': %lld x %lld pixels, the image has %lld x %lld", path,
                (long long)mask->info.width, (long long)mask->info.height,
                (long long)image->info.width, (long long)image->info.height);
    if (mask_examine(&mask->mask, &err))
        cli_die_err(&err);
    allocate_layer(mask, sizeof(uint32_t), 2 * (size_t)line + 1);
}

static void close_layer(struct layer *layer)
{
    image_close(layer->reader);
    mask_close(&layer->mask);
    free(layer->raw);
    free(layer->block);
    free(layer->rows);
}

static void read_raw(struct layer *layer)
{
    struct err err;
    if (image_read_rows(layer->reader, 1, layer->raw, &err))
        cli_die_err(&err);
}

static size_t rows_of_block(const struct layer *layer)
{
    size_t left = (size_t)layer->info.height - layer->next * layer->factor;
    return left < layer->factor ? left : layer->factor;
}

static void next_labels(struct layer *mask)
{
    size_t rows = rows_of_block(mask), width = (size_t)mask->info.width;
    uint32_t *block = mask->block;
    struct err err;
    if (mask_read32(&mask->mask, (int64_t)rows, block, &err))
        cli_die_err(&err);
    uint32_t *to = (uint32_t *)mask->rows + mask->next++ % mask->kept * mask->width;
    draw_shrink_labels(block, width, rows, mask->factor, to);
}

/* Pointers to the rows y - line to y + line, NULL beyond the image. */
static void rows_around(struct layer *mask, size_t y, int line, const uint32_t **rows)
{
    while (mask->next < mask->height && mask->next <= y + (size_t)line)
        next_labels(mask);
    for (int dy = -line; dy <= line; dy++) {
        int64_t at = (int64_t)y + dy;
        bool inside = at >= 0 && at < (int64_t)mask->height;
        rows[dy + line] =
            inside ? (uint32_t *)mask->rows + (size_t)at % mask->kept * mask->width : NULL;
    }
}

/* ---- the image as it is shown ---- */

struct display {
    struct layer image;
    int colours; /* channels shown: 1 or 3 */
    double low, high;
    float *values; /* a row */
};

static void next_values(struct display *display)
{
    const struct image_info *info = &display->image.info;
    read_raw(&display->image);
    draw_values(display->image.raw, (size_t)info->width, info->channels, info->bits, info->is_label,
                display->colours, display->values);
}

static int count_values(struct display *display, struct normalise *range, bool refine,
                        struct err *err)
{
    if (image_rewind(display->image.reader, err))
        return -1;
    for (int64_t y = 0; y < display->image.info.height; y++) {
        next_values(display);
        (refine ? normalise_refine : normalise_count)(
            range, display->values, (size_t)display->image.info.width * (size_t)display->colours);
    }
    return image_rewind(display->image.reader, err);
}

static void find_range(struct display *display)
{
    struct normalise range;
    struct err err;
    if (normalise_new(&range, DTYPE_F32, &err) || count_values(display, &range, false, &err))
        cli_die_err(&err);
    int more = normalise_choose(&range, settings.range[0], settings.range[1], &err);
    if (more < 0) {
        err_prefix(&err, "read '%s'", display->image.path);
        cli_die_err(&err);
    }
    if (more && count_values(display, &range, true, &err))
        cli_die_err(&err);
    normalise_range(&range, &display->low, &display->high);
    normalise_free(&range);
}

static void open_display(struct display *display, const char *path)
{
    *display = (struct display){.low = 0, .high = 255};
    open_layer(&display->image, path, false);
    const struct image_info *info = &display->image.info;
    display->colours = image_colors(info) == 3 ? 3 : 1;
    display->values = malloc((size_t)info->width * 3 * sizeof *display->values);
    if (!display->values)
        die_memory();
    allocate_layer(&display->image, 3, 1);
    if (settings.stretch || info->bits > 8)
        find_range(display);
}

static const uint8_t *next_picture(struct display *display)
{
    struct layer *image = &display->image;
    size_t rows = rows_of_block(image), width = (size_t)image->info.width;
    uint8_t *block = image->block;
    for (size_t y = 0; y < rows; y++) {
        next_values(display);
        draw_display(display->values, width, display->colours, display->low, display->high,
                     block + 3 * y * width);
    }
    image->next++;
    draw_shrink_rgb(block, width, rows, image->factor, image->rows);
    return image->rows;
}

/* ---- the figure ---- */

static int line_width(const struct layer *image)
{
    if (settings.style == 1)
        return 0;
    return settings.line > 0 ? settings.line : draw_line_width(image->width, image->height);
}

static void set_figure(struct figure *figure, const struct layer *image)
{
    *figure = (struct figure){
        .width = image->width,
        .height = image->height,
        .panel_count = settings.panel_count,
        .style = {.line = line_width(image), .single = settings.single, .colour = settings.colour},
        .compare_by_outlines = settings.style == 0,
        .error_opacity = settings.opacity,
        .inset_count = settings.inset_count,
    };
    if (settings.style > 0)
        figure->style.opacity = settings.opacity;
    memcpy(figure->panels, settings.panels, sizeof figure->panels);
    for (int i = 0; i < settings.inset_count; i++) {
        const int64_t *from = settings.insets[i];
        size_t factor = image->factor;
        figure->insets[i] = (struct inset){.x = (size_t)from[0] / factor,
                                           .y = (size_t)from[1] / factor,
                                           .width = (size_t)(from[2] - 1) / factor + 1,
                                           .height = (size_t)(from[3] - 1) / factor + 1};
    }
}

static void write_row(struct image_writer *writer, const uint8_t *row)
{
    struct err err;
    if (image_write_rows(writer, 1, row, &err)) {
        image_abort(writer);
        cli_die_err(&err);
    }
}

static void draw(struct figure *figure, struct display *display, struct layer *mask,
                 struct layer *truth, struct image_writer *writer)
{
    const uint32_t *prediction_rows[2 * DRAW_MAX_LINE + 1], *truth_rows[2 * DRAW_MAX_LINE + 1];
    uint8_t *to = malloc(3 * figure->total_width);
    if (!to)
        die_memory();
    for (size_t y = 0; y < figure->total_height; y++) {
        if (y < figure->height) {
            struct figure_row row = {next_picture(display), prediction_rows,
                                     truth->mask.reader ? truth_rows : NULL};
            rows_around(mask, y, figure->style.line, prediction_rows);
            if (truth->mask.reader)
                rows_around(truth, y, figure->style.line, truth_rows);
            figure_panels(figure, y, &row, to);
        } else {
            figure_insets(figure, y - figure->height, to);
        }
        write_row(writer, to);
        cli_progress("rows", y + 1, figure->total_height);
    }
    free(to);
}

static struct image_writer *create_output(const struct figure *figure,
                                          const struct display *display)
{
    struct err err;
    struct image_writer *writer;
    double shrunk = (double)display->image.factor;
    struct image_info info = {
        .width = (int64_t)figure->total_width,
        .height = (int64_t)figure->total_height,
        .channels = 3,
        .bits = 8,
        .pixel_width = display->image.info.pixel_width * shrunk,
        .pixel_height = display->image.info.pixel_height * shrunk,
    };
    if (image_create(&writer, settings.output, image_format_of_name(settings.output),
                     IMAGE_DEFAULT_COMPRESSION, &info, &err))
        cli_die_err(&err);
    return writer;
}

int main(int argc, char **argv)
{
    struct err err;
    struct display display;
    struct layer mask, truth = {0};
    struct figure figure;
    cli_start(&program, argc, argv);
    choose_panels();
    check_options();
    open_display(&display, cli_operands()[0]);
    set_figure(&figure, &display.image);
    open_mask(&mask, cli_operands()[1], &display.image, figure.style.line);
    if (settings.truth)
        open_mask(&truth, settings.truth, &display.image, figure.style.line);
    if (figure_start(&figure, &err))
        cli_die_err(&err);
    struct image_writer *writer = create_output(&figure, &display);
    draw(&figure, &display, &mask, &truth, writer);
    if (image_commit(writer, &err))
        cli_die_err(&err);
    figure_free(&figure);
    close_layer(&display.image);
    free(display.values);
    close_layer(&mask);
    close_layer(&truth);
    return cli_finish(STATUS_OK);
}
