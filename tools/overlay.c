/* overlay: masks drawn over the image that they belong to. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/growing.h"
#include "core/guard.h"
#include "core/names.h"
#include "core/num.h"
#include "draw/figure_file.h"
#include "image/output.h"
#include "image/pairs.h"

static struct {
    const char *output, *truth, *suffix;
    int style; /* of outline|fill|both, -1: not said */
    int line;  /* -1: by the size */
    double opacity;
    bool side_by_side, force;
    struct destination to;
    struct figure_options figure;
} settings = {.output = "-",
              .suffix = "",
              .style = -1,
              .line = -1,
              .opacity = 0.5,
              .figure = {.bar = FIGURE_NO_BAR, .layers.range = {0.5, 99.5}}};

static int read_color(const char *text, struct err *err)
{
    const char *digits = *text == '#' ? text + 1 : text;
    if (strlen(digits) != 6 || strspn(digits, "0123456789abcdefABCDEF") != 6)
        return err_set(err, STATUS_USAGE, "'%s' is not RRGGBB", text);
    unsigned long value = strtoul(digits, NULL, 16);
    settings.figure.style.single = true;
    settings.figure.style.color =
        (struct color){(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    return 0;
}

static int read_bar(const char *text, struct err *err)
{
    if (strcmp(text, "auto") != 0)
        return num_real(text, 1e-6, 1e9, &settings.figure.bar, err);
    settings.figure.bar = FIGURE_AUTO_BAR;
    return 0;
}

static const struct cli_option options[] = {
    {'o', "output", "FILE|DIR", "where to write, PNG or TIFF (default standard output)",
     CLI_TEXT(settings.output)},
    {0, "suffix", "TEXT", "with -o DIR: what file names have after the stem",
     CLI_TEXT(settings.suffix)},
    {0, "force", NULL, "in a folder, replace files that are not of an earlier run",
     CLI_FLAG(settings.force)},
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
     CLI_CHOICE_OF(settings.figure.panels[0], "image|truth|prediction|errors"),
     CLI_LIST(settings.figure.panel_count, FIGURE_MAX_PANELS)},
    {0, "titles", "TEXT[,TEXT...]", "titles above the panels", CLI_TEXT(settings.figure.titles[0]),
     CLI_LIST(settings.figure.title_count, FIGURE_MAX_PANELS)},
    {'b', "scale-bar", "auto|UM", "a scale bar of so many micrometers, or of a round length",
     CLI_CALL(read_bar)},
    {0, "pixel-size", "UM[,UM]", "height and width of a pixel, where the image does not tell",
     CLI_PIXEL_SIZE(settings.figure.pixel_size)},
    {'i', "inset", "X,Y,W,H", "enlarge this part of the image below; up to 6 times",
     CLI_INT(settings.figure.insets[0][0], 0, INT32_MAX), CLI_PARTS(4, ','),
     CLI_TIMES(settings.figure.inset_count, FIGURE_MAX_INSETS)},
    {'m', "max-side", "PIXELS", "shrink the image until no side is longer",
     CLI_INT(settings.figure.layers.max_side, 16, 1000000)},
    {0, "contrast", "LOW,HIGH",
     "percentiles shown black and white (default 0.5,99.5; 8 bits are shown as they are)",
     CLI_REAL(settings.figure.layers.range[0], 0, 100), CLI_PARTS(2, ','),
     CLI_GIVEN(settings.figure.layers.stretch)},
    PLANES_OPTIONS,
    {0},
};

static const struct cli_program program = {
    .name = "overlay",
    .purpose = "draw masks over images",
    .synopsis = "[options] IMAGE MASK | [options] -o DIR IMAGE|FOLDER... MASKS",
    .options = options,
    .notes = "Errors are blue where both have an object, orange where only MASK has,\n"
             "yellow where only the true mask has.",
};

/* ---- options ---- */

static void set_panels(int count, const enum panel *panels)
{
    memcpy(settings.figure.panels, panels, (size_t)count * sizeof *panels);
    settings.figure.panel_count = count;
}

static void choose_panels(void)
{
    if (settings.figure.panel_count)
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
    struct err err;
    if (settings.force)
        guard_force();
    if (image_destination_set(&settings.to, settings.output, settings.suffix, &err))
        cli_die_err(&err);
    int count = cli_operand_count();
    if (settings.to.is_folder ? count < 2 : count != 2)
        cli_die_usage("an image and a mask are needed");
    if (settings.to.is_folder && !path_is_folder(cli_operands()[count - 1]))
        cli_die_usage("'%s' is no folder of masks", cli_operands()[count - 1]);
    if (!settings.to.is_folder && path_is_folder(cli_operands()[0]))
        cli_die_usage("a folder of images needs a folder, -o DIR/");
    int inputs = 0;
    inputs += strcmp(cli_operands()[0], "-") == 0;
    inputs += strcmp(cli_operands()[1], "-") == 0;
    inputs += settings.truth && strcmp(settings.truth, "-") == 0;
    if (inputs > 1)
        cli_die_usage("only one of the images can be standard input");
    for (int i = 0; i < settings.figure.panel_count; i++)
        if (!settings.truth &&
            (settings.figure.panels[i] == PANEL_TRUTH || settings.figure.panels[i] == PANEL_ERRORS))
            cli_die_usage("a panel of the truth or of errors needs --truth");
    for (int i = 0; i < settings.figure.inset_count; i++)
        if (settings.figure.insets[i][2] == 0 || settings.figure.insets[i][3] == 0)
            cli_die_usage("--inset: a part without pixels");
    if (settings.figure.layers.range[0] >= settings.figure.layers.range[1])
        cli_die_usage("--contrast: LOW is not below HIGH");
    cli_refuse_terminal_for(settings.output, "an image");
}

static void complete_figure(void)
{
    struct figure_options *figure = &settings.figure;
    figure->style.line = settings.style == 1 ? 0 : settings.line;
    figure->style.opacity = settings.style > 0 ? settings.opacity : 0;
    figure->compare_by_outlines = settings.style == 0;
    figure->error_opacity = settings.opacity;
    figure->progress = settings.to.is_folder ? NULL : cli_progress;
}

/* ---- many images ---- */

static struct growing paths = {.size = sizeof(char *)};

static void add_path(const char *path)
{
    struct err err;
    char *copy = strdup(path);
    if (!copy || growing_add(&paths, &copy, &err))
        cli_die(STATUS_MEMORY, "no memory for a list of images");
}

static void add_folder(const char *path)
{
    struct err err;
    struct folder folder;
    char image[4096];
    if (folder_list(&folder, path, "", &err))
        cli_die_err(&err);
    for (size_t i = 0; i < folder.count; i++)
        if (!pairs_is_result(folder.files[i].path, image, sizeof image))
            add_path(folder.files[i].path);
    folder_free(&folder);
}

/* One image of the folder, its mask by its stem. */
static int draw_one(const char *image, const char *masks, struct names *used, struct err *err)
{
    char mask[4096], truth[4096], stem[NAME_MAX + 1], output[4096];
    struct figure_files files = {image, mask, settings.truth ? truth : NULL, output};
    if (pairs_find_mask(masks, image, NULL, mask, sizeof mask, err) ||
        (settings.truth &&
         pairs_find_mask(settings.truth, image, NULL, truth, sizeof truth, err)) ||
        names_new_stem(used, image, stem, sizeof stem, err) ||
        destination_file(&settings.to, stem, image, "png", output, sizeof output, err))
        return -1;
    return figure_write(&files, &settings.figure, err);
}

static bool draw_many(const char *masks)
{
    struct names used = {0};
    struct err err;
    bool some_failed = false;
    char **images = paths.items;
    if (guard_inputs(images, (int)paths.count, &err))
        cli_die_err(&err);
    for (size_t i = 0; i < paths.count; i++) {
        if (draw_one(images[i], masks, &used, &err)) {
            if (err.status == STATUS_MEMORY || err.status == STATUS_IO || paths.count == 1)
                cli_die_err(&err);
            cli_warn_err(&err);
            some_failed = true;
        }
        cli_progress("images", i + 1, paths.count);
        free(images[i]);
    }
    names_free(&used);
    growing_free(&paths);
    return some_failed;
}

static bool draw_folder(char **operands, int count)
{
    for (int i = 0; i + 1 < count; i++)
        if (path_is_folder(operands[i]))
            add_folder(operands[i]);
        else
            add_path(operands[i]);
    if (paths.count == 0)
        cli_die(STATUS_NO_INPUT, "no images in '%s'", operands[0]);
    return draw_many(operands[count - 1]);
}

int main(int argc, char **argv)
{
    struct err err;
    bool some_failed = false;
    cli_start(&program, argc, argv);
    choose_panels();
    check_options();
    complete_figure();
    char **operands = cli_operands();
    struct figure_files files = {operands[0], operands[1], settings.truth, settings.output};
    if (settings.to.is_folder)
        some_failed = draw_folder(operands, cli_operand_count());
    else if (figure_write(&files, &settings.figure, &err))
        cli_die_err(&err);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
