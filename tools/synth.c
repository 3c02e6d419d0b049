/* synth: draw microscopy images of cells with their exact masks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/destination.h"
#include "core/guard.h"
#include "image/image.h"
#include "pixels/synth.h"
#include "stream/stream.h"

static struct {
    int64_t number, seed;
    int64_t size[2]; /* width, height */
    int look;        /* SYNTH_LOOKS for mixed */
    bool instances, tiff, force;
    const char *output, *prefix;
    struct synth_options drawing;
} settings = {
    .number = 1,
    .seed = 1,
    .size = {512, 512},
    .prefix = "synth",
    .output = "-",
    .drawing = {.contrast = 1, .noise = 1},
};

static const struct cli_option options[] = {
    {'n', "number", "N", "images to draw (default 1)", CLI_INT(settings.number, 1, 10000000)},
    {'o', "output", "DIR|FILE",
     "folder for images/ and masks/, or a stream's file (default: a stream "
     "on standard output)",
     CLI_TEXT(settings.output)},
    {'s', "size", "W[xH]", "pixels (default 512x512)", CLI_INT(settings.size[0], 1, 65535),
     CLI_ONE_OR_TWO('x')},
    {'l', "look", "LOOK",
     "brightfield, phase, fluorescence, blood, monolayer, bacteria, yeast, cytoplasm, tissue, "
     "smear, dic or mixed (default brightfield)",
     CLI_CHOICE_OF(settings.look, SYNTH_LOOK_NAMES "|mixed")},
    {0, "seed", "N", "seed of the random numbers (default 1)",
     CLI_INT(settings.seed, 0, INT64_MAX)},
    {0, "instances", NULL, "masks number the cells; else 255 is cell, 0 is not",
     CLI_FLAG(settings.instances)},
    {0, "tiff", NULL, "write TIFF files instead of PNG", CLI_FLAG(settings.tiff)},
    {0, "coverage", "PERCENT", "of the image covered by cells (default: varies)",
     CLI_PERCENT(settings.drawing.coverage, 0, 95)},
    {0, "radius", "PIXELS", "typical half width of a cell (default: varies)",
     CLI_REAL(settings.drawing.radius, 1, 1000)},
    {0, "contrast", "FACTOR", "contrast of the cells (default 1)",
     CLI_REAL(settings.drawing.contrast, 0, 100)},
    {0, "noise", "FACTOR", "amount of noise (default 1)", CLI_REAL(settings.drawing.noise, 0, 100)},
    {0, "prefix", "NAME", "names begin with this (default synth)", CLI_TEXT(settings.prefix)},
    {0, "force", NULL, "with a folder, replace files that are not of an earlier run",
     CLI_FLAG(settings.force)},
    {0},
};

static const struct cli_program program = {
    .name = "synth",
    .purpose = "draw microscopy images of cells with their exact masks",
    .synopsis = "[options]",
    .options = options,
};

static void check_options(void)
{
    if (settings.force)
        guard_force();
    if (cli_operand_count())
        cli_die_usage("'%s': synth takes no operands", cli_operands()[0]);
    if (!sample_key_is_valid(settings.prefix) || strchr(settings.prefix, '/'))
        cli_die_usage("prefix '%s': only letters, digits, _ and -", settings.prefix);
    settings.drawing.width = (size_t)settings.size[0];
    settings.drawing.height = (size_t)settings.size[1];
    cli_refuse_terminal_for(settings.output, "a tensor stream");
}

/* Labels as they are delivered: cells numbered, or 255 for every cell. */
static int finish_mask(const struct array *labels, struct array *mask, struct err *err)
{
    if (array_new(mask, settings.instances ? DTYPE_U16 : DTYPE_U8, 2, labels->shape, err))
        return -1;
    const uint32_t *from = labels->data;
    for (size_t i = 0; i < array_count(labels); i++)
        if (!settings.instances)
            ((uint8_t *)mask->data)[i] = from[i] ? 255 : 0;
        else if (from[i] > UINT16_MAX)
            return err_set(err, STATUS_DATA, "more than 65535 cells: draw a smaller image");
        else
            ((uint16_t *)mask->data)[i] = (uint16_t)from[i];
    return 0;
}

static int draw(const char *name, int64_t number, struct array *image, struct array *mask,
                struct err *err)
{
    struct rng rng = rng_new((uint64_t)settings.seed, name);
    struct synth_options drawing = settings.drawing;
    bool mixed = settings.look == SYNTH_LOOKS;
    drawing.look = (enum synth_look)(mixed ? number % SYNTH_MIXED : settings.look);
    struct array labels = {0};
    *mask = (struct array){0};
    if (synth_draw(&drawing, &rng, image, &labels, err))
        return -1;
    int result = finish_mask(&labels, mask, err);
    array_free(&labels);
    return result;
}

/* ---- folders ---- */

static int save(const char *folder, const char *name, const struct array *pixels, struct err *err)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", settings.output, folder);
    if (n < 0 || (size_t)n + strlen(name) + 8 > sizeof path)
        return err_set(err, STATUS_CREATE, "create '%s': name too long", settings.output);
    if (folder_make(path, err))
        return -1;
    sprintf(path + n, "/%s.%s", name, settings.tiff ? "tif" : "png");
    if (guard_made_up(path, settings.output, err))
        return -1;
    struct image_info info = {.height = (int64_t)pixels->shape[0],
                              .width = (int64_t)pixels->shape[1],
                              .channels = 1,
                              .bits = 8 * (int)dtype_size(pixels->dtype)};
    info.significant_bits = info.bits;
    return image_save(path, &info, pixels->data, err);
}

/* ---- streams ---- */

static int put(struct stream_writer *writer, const char *name, struct array *image,
               struct array *mask, struct err *err)
{
    struct sample sample;
    if (sample_init(&sample, name, err))
        return -1;
    struct tile_meta meta = {.source_width = (int64_t)image->shape[1],
                             .source_height = (int64_t)image->shape[0],
                             .source_channels = 1,
                             .source_bits = 8,
                             .width = (int64_t)image->shape[1],
                             .height = (int64_t)image->shape[0],
                             .scale_x = 1,
                             .scale_y = 1,
                             .count = 1};
    snprintf(meta.source, sizeof meta.source, "%s.png", name);
    int result = sample_put_array(&sample, "image", image, err);
    *image = (struct array){0};
    if (result == 0) {
        result = sample_put_array(&sample, "mask", mask, err);
        *mask = (struct array){0};
    }
    if (result == 0)
        result = sample_put_meta(&sample, &meta, err);
    if (result == 0)
        result = stream_put(writer, &sample, err);
    sample_free(&sample);
    return result;
}

/* ---- the loop ---- */

static bool wants_stream(void)
{
    size_t n = strlen(settings.output);
    return strcmp(settings.output, "-") == 0 ||
           (n > 4 && strcmp(settings.output + n - 4, ".tar") == 0);
}

static int draw_all(struct stream_writer *writer, struct err *err)
{
    for (int64_t i = 0; i < settings.number; i++) {
        char name[256];
        snprintf(name, sizeof name, "%.200s_%05" PRId64, settings.prefix, i + 1);
        struct array image = {0}, mask = {0};
        int result = draw(name, i, &image, &mask, err);
        if (result == 0 && writer)
            result = put(writer, name, &image, &mask, err);
        else if (result == 0)
            result = save("images", name, &image, err) || save("masks", name, &mask, err) ? -1 : 0;
        array_free(&image);
        array_free(&mask);
        if (result)
            return -1;
        cli_progress("images", (uint64_t)i + 1, (uint64_t)settings.number);
    }
    return 0;
}

int main(int argc, char **argv)
{
    cli_start(&program, argc, argv);
    check_options();
    struct err err;
    struct stream_writer *writer = NULL;
    char seed[32];
    snprintf(seed, sizeof seed, "%" PRId64, settings.seed);
    const struct stream_author author = {"synth", cli_command_line(), seed, NULL};
    if (wants_stream() ? stream_create(&writer, settings.output, &author, NULL, &err)
                       : folder_make(settings.output, &err))
        cli_die_err(&err);
    int result = draw_all(writer, &err);
    if (result)
        stream_abort(writer);
    else if (writer)
        result = stream_commit(writer, &err);
    if (result)
        cli_die_err(&err);
    return cli_finish(STATUS_OK);
}
