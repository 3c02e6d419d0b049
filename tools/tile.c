/* tile: images to a tensor stream. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "image/pairs.h"
#include "image/planes.h"
#include "tiles/cut.h"

#define MAX_SIZE 65535

static struct cut_options settings = {
    /* 56 pixels are shared, a quarter of the side of smaller tiles */
    .tiling = TILING_DEFAULT,
};
static int64_t part[2] = {1, 1}; /* I/N */
static int numbered = JOINED_AUTO;

/* Cells of so many pixels are shown as they are most often learned: the default model's nuclei
 * have 15 to 30 pixels, its adherent cells 30 to 60. */
#define SHOWN_DIAMETER 36

static double diameter;
static bool size_given;

static int read_overlap(const char *text, struct err *err)
{
    settings.tiling.overlap_is_cut = false;
    return grid_parse_overlap(text, &settings.tiling.overlap, err);
}

static const struct cli_option options[] = {
    {'s', "size", "SIZE[,SIZE...]", "side of a tile in pixels, or full (default 224)",
     CLI_INT(settings.tiling.sizes[0], 1, MAX_SIZE), CLI_WORD_FOR_ZERO("full"),
     CLI_LIST(settings.tiling.size_count, TILING_MAX_SIZES), CLI_GIVEN(size_given)},
    {'o', "overlap", "PIXELS|PERCENT%", "what neighbors share (default 56, less for small tiles)",
     CLI_CALL(read_overlap)},
    {'r', "resize", "SIZE", "resize every tile to SIZE x SIZE",
     CLI_INT(settings.resize, 1, MAX_SIZE)},
    {0, "diameter", "PIXELS", "cells are about so wide: scale them to what networks know best",
     CLI_REAL(diameter, 1, 10000)},
    {0, "edge", "shift|pad|fit",
     "move windows that cross the border inside (default), pad them, or leave them out",
     CLI_CHOICE(settings.tiling.edge)},
    {'m', "masks", "DIR", "add the masks of this folder, matched by stem",
     CLI_TEXT(settings.masks)},
    {0, "mask-suffix", "TEXT", "what a mask's stem ends with (default _mask, _masks, _seg, ...)",
     CLI_TEXT(settings.mask_suffix)},
    {0, "gray", NULL, "one channel", CLI_SET(settings.channels, CHANNELS_GRAY)},
    {0, "rgb", NULL, "three channels", CLI_SET(settings.channels, CHANNELS_RGB)},
    {0, "normalize", CUT_RANGE_WORDS,
     "let networks see the whole image's range as 0 to 1 (default auto: those that ask for it)",
     CLI_CHOICE(settings.range)},
    {0, "numbered", JOINED_WORDS,
     "files _0000, _0001, ... are channels of an image, or images (default auto: nnU-Net's)",
     CLI_CHOICE(numbered)},
    PLANES_OPTIONS,
    {0, "part", "I/N", "only the I-th of N parts, by whole rows of tiles",
     CLI_INT(part[0], 1, 1000000), CLI_PARTS(2, '/')},
    {0},
};

static const struct cli_program program = {
    .name = "tile",
    .purpose = "cut images into a tensor stream",
    .synopsis = "[options] [IMAGE...]",
    .options = options,
    .notes = "Without IMAGE, or for -, an image is read from standard input.",
};

/* Tiles and overlaps are in pixels of the image. */
static void scale_to_diameter(void)
{
    double factor = diameter / SHOWN_DIAMETER;
    struct grid_overlap *overlap = &settings.tiling.overlap;
    if (size_given || settings.resize)
        cli_die_usage("--diameter and %s cannot be combined", size_given ? "--size" : "--resize");
    settings.resize = settings.tiling.sizes[0];
    settings.tiling.sizes[0] = llround(factor * (double)settings.resize);
    if (settings.tiling.overlap_is_cut)
        overlap->amount = round(factor * overlap->amount);
}

static void check_options(void)
{
    struct err err;
    if (diameter > 0)
        scale_to_diameter();
    if (part[0] > part[1])
        cli_die_usage("--part: there is no part %lld of %lld", (long long)part[0],
                      (long long)part[1]);
    settings.tiling.part = part[0];
    settings.tiling.parts = part[1];
    if (tiling_check(&settings.tiling, &err))
        cli_die_usage("%s", err.message);
    cli_refuse_terminal("a tensor stream");
}

/* Moves images to the front, and leaves out what earlier runs made of them and `*.png` names as
 * well: how many remain. */
static int leave_out_results(char **paths, int count)
{
    char image[4096], of[4096] = "";
    const char *first = NULL;
    int kept = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(paths[i], "-") == 0 || !pairs_is_result(paths[i], image, sizeof image)) {
            paths[kept++] = paths[i];
        } else if (!first) {
            first = paths[i];
            memcpy(of, image, sizeof of);
        }
    }
    if (first && kept == 0)
        cli_die(STATUS_DATA,
                "cut '%s': it is a result of '%s' by its name (standard input has no name)", first,
                of);
    if (first)
        cli_warn("cut '%s': it is a result of '%s' by its name, left out%s", first, of,
                 count - kept > 1 ? ", as are others" : "");
    return kept;
}

/* The number of images that failed; *err has the last failure. */
static size_t tile_images(struct cutter *cutter, const struct joined *images, size_t count,
                          struct err *err)
{
    size_t failed = 0;
    for (size_t i = 0; i < count; i++) {
        cli_progress("images", i, count);
        int result = cutter_add(cutter, &images[i], err);
        if (result < 0)
            cli_die_err(err); /* nobody reads on, or the disk is full */
        if (result > 0)
            cli_warn_err(err);
        failed += result > 0;
    }
    return failed;
}

/* What nobody asked for is said. */
static void tell_joined(const struct joined *images, size_t count)
{
    for (size_t i = 0; i < count && numbered == JOINED_AUTO; i++)
        if (images[i].count > 1) {
            cli_warn("cut '%s': '%s' and the next %zu are its channels by their names; else "
                     "--numbered images",
                     images[i].name, images[i].paths[0], images[i].count - 1);
            return;
        }
}

int main(int argc, char **argv)
{
    struct stream_writer *writer;
    struct cutter *cutter;
    struct err err;
    cli_start(&program, argc, argv);
    check_options();
    int count = cli_operand_count() ? cli_operand_count() : 1;
    char **paths = cli_inputs();
    struct joined *images;
    size_t image_count;
    count = leave_out_results(paths, count);
    if (joined_new(&images, &image_count, paths, (size_t)count, (enum joined_wish)numbered, &err))
        cli_die_err(&err);
    tell_joined(images, image_count);
    struct stream_author author = {.program = program.name,
                                   .arguments = cli_command_line(),
                                   .images = settings.tiling.parts > 1 ? 0 : image_count};
    if (stream_create(&writer, "-", &author, NULL, &err) ||
        cutter_new(&cutter, &settings, writer, &err))
        cli_die_err(&err);
    size_t failed = tile_images(cutter, images, image_count, &err);
    cutter_free(cutter);
    joined_free(images, image_count);
    if (failed == image_count) {
        stream_abort(writer);
        return cli_finish(err.status);
    }
    if (stream_commit(writer, &err))
        cli_die_err(&err);
    return cli_finish(failed ? STATUS_SOME_FAILED : STATUS_OK);
}
