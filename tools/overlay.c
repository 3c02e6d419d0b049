/* overlay: masks drawn over the image that they belong to. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "draw/layer.h"

static struct {
    const char *output, *truth;
    int style; /* of outline|fill|both, -1: not said */
    int line;  /* -1: by the size */
    double opacity;
    bool single, side_by_side;
    struct color color;
    enum panel panels[FIGURE_MAX_PANELS];
    int panel_count;
    int64_t insets[FIGURE_MAX_INSETS][4]; /* x, y, width, height */
    int inset_count;
    struct layer_options layers;
} settings = {.output = "-", .style = -1, .line = -1, .opacity = 0.5, .layers.range = {0.5, 99.5}};

static int read_color(const char *text, struct err *err)
{
    const char *digits = *text == '#' ? text + 1 : text;
    if (strlen(digits) != 6 || strspn(digits, "0123456789abcdefABCDEF") != 6)
        return err_set(err, STATUS_USAGE, "'%s' is not RRGGBB", text);
    unsigned long value = strtoul(digits, NULL, 16);
    settings.single = true;
    settings.color = (struct color){(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
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
     CLI_INT(settings.layers.max_side, 16, 1000000)},
    {0, "contrast", "LOW,HIGH",
     "percentiles shown black and white (default 0.5,99.5; 8 bits are shown as they are)",
     CLI_REAL(settings.layers.range[0], 0, 100), CLI_PARTS(2, ','),
     CLI_GIVEN(settings.layers.stretch)},
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
    if (settings.layers.range[0] >= settings.layers.range[1])
        cli_die_usage("--contrast: LOW is not below HIGH");
    struct err err;
    if (image_check_name(settings.output, &err))
        cli_die_err(&err);
    cli_refuse_terminal_for(settings.output, "an image");
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
        .style = {.line = line_width(image), .single = settings.single, .color = settings.color},
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

/* A row of the panels. */
static int draw_panels(struct figure *figure, size_t y, struct layer *image, struct layer *mask,
                       struct layer *truth, uint8_t *to, struct err *err)
{
    const uint32_t *found[2 * DRAW_MAX_LINE + 1], *right[2 * DRAW_MAX_LINE + 1];
    if (layer_next_row(image, err) || layer_rows_around(mask, y, figure->style.line, found, err))
        return -1;
    if (settings.truth && layer_rows_around(truth, y, figure->style.line, right, err))
        return -1;
    struct figure_row row = {image->rows, found, settings.truth ? right : NULL};
    figure_panels(figure, y, &row, to);
    return 0;
}

static int draw(struct figure *figure, struct layer *image, struct layer *mask, struct layer *truth,
                struct image_writer *writer, struct err *err)
{
    uint8_t *to = malloc(3 * figure->total_width);
    int result = to ? 0 : err_memory(err, "a row");
    for (size_t y = 0; result == 0 && y < figure->total_height; y++) {
        if (y < figure->height)
            result = draw_panels(figure, y, image, mask, truth, to, err);
        else
            figure_insets(figure, y - figure->height, to);
        if (result == 0)
            result = image_write_rows(writer, 1, to, err);
        cli_progress("rows", y + 1, figure->total_height);
    }
    free(to);
    return result;
}

static int create_output(struct image_writer **writer, const struct figure *figure,
                         const struct layer *image, struct err *err)
{
    double shrunk = (double)image->factor;
    struct image_info info = {
        .width = (int64_t)figure->total_width,
        .height = (int64_t)figure->total_height,
        .channels = 3,
        .bits = 8,
        .pixel_width = image->info.pixel_width * shrunk,
        .pixel_height = image->info.pixel_height * shrunk,
    };
    return image_create(writer, settings.output, image_format_of_name(settings.output),
                        IMAGE_DEFAULT_COMPRESSION, &info, err);
}

static int overlay(const char *image_path, const char *mask_path, struct err *err)
{
    struct layer image, mask, truth = {0};
    struct figure figure;
    struct image_writer *writer;
    if (layer_open_image(&image, image_path, &settings.layers, err))
        return -1;
    set_figure(&figure, &image);
    int line = figure.style.line;
    if (layer_open_mask(&mask, mask_path, &image, line, err) ||
        (settings.truth && layer_open_mask(&truth, settings.truth, &image, line, err)) ||
        figure_start(&figure, err) || create_output(&writer, &figure, &image, err))
        return -1;
    if (draw(&figure, &image, &mask, &truth, writer, err)) {
        image_abort(writer);
        return -1;
    }
    figure_free(&figure);
    layer_close(&image);
    layer_close(&mask);
    layer_close(&truth);
    return image_commit(writer, err);
}

int main(int argc, char **argv)
{
    struct err err;
    cli_start(&program, argc, argv);
    choose_panels();
    check_options();
    if (overlay(cli_operands()[0], cli_operands()[1], &err))
        cli_die_err(&err);
    return cli_finish(STATUS_OK);
}
