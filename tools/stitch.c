/* stitch: a tensor stream to images. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/guard.h"
#include "core/limits.h"
#include "tiles/gather.h"
#include "tiles/montage.h"

#define OVERLAY_SUFFIX "_overlay"

static struct {
    const char *output, *overlay;
    struct montage_options montage;
    enum montage_kind kind; /* MONTAGE_LABELS: the first that the stream has of it, mask, image */
    int blend;              /* -1: by what the stream has */
    int format;             /* -1: by the name */
    enum image_compression compression;
    const char *suffix;
    const char *stream;
    bool any_order, force;
} settings = {.output = "-", .montage.class = -1, .blend = -1, .format = -1, .suffix = ""};

static const struct cli_option options[] = {
    {'o', "output", "FILE|DIR", "where to write (default standard output)",
     CLI_TEXT(settings.output)},
    {'b', "blend", "mean|gauss|vote",
     "how overlapping tiles are weighed (default mean; gauss beside flows)",
     CLI_CHOICE(settings.blend)},
    {'t', "threshold", "P", "foreground where its probability is at least P (two classes)",
     CLI_REAL(settings.montage.threshold, 1e-6, 1)},
    {0, "prob", NULL, "write the probability of the foreground",
     CLI_ONE_OF(settings.kind, MONTAGE_PROB)},
    {0, "class", "N", "with --prob: of class N, 0 is the background",
     CLI_INT(settings.montage.class, 0, MONTAGE_MAX_CLASSES - 1)},
    {0, "uncertainty", NULL, "write the uncertainty",
     CLI_ONE_OF(settings.kind, MONTAGE_UNCERTAINTY)},
    {0, "logits", NULL, "write the logits, a channel each (TIFF)",
     CLI_ONE_OF(settings.kind, MONTAGE_LOGITS)},
    {0, "flows", NULL, "write the flows, a channel each (TIFF)",
     CLI_ONE_OF(settings.kind, MONTAGE_FLOWS)},
    {0, "mask", NULL, "write the mask that the stream carries",
     CLI_ONE_OF(settings.kind, MONTAGE_MASK)},
    {0, "image", NULL, "write the image that the stream carries",
     CLI_ONE_OF(settings.kind, MONTAGE_IMAGE)},
    {0, "overlay", "FILE|DIR", "also draw the mask's outlines over the stream's image",
     CLI_TEXT(settings.overlay)},
    {'f', "format", IMAGE_FORMAT_WORDS,
     "format, where no file name tells it (default png, tiff for floats)",
     CLI_CHOICE(settings.format)},
    {'c', "compression", "none|deflate|lzw", "of TIFF (default deflate)",
     CLI_CHOICE_FOR(settings.compression, IMAGE_UNCOMPRESSED, IMAGE_DEFLATE, IMAGE_LZW)},
    {0, "force", NULL, "with -o DIR: replace files that are not of an earlier run",
     CLI_FLAG(settings.force)},
    {0, "suffix", "TEXT", "with -o DIR: what file names have after the stem",
     CLI_TEXT(settings.suffix)},
    {0, "any-order", NULL, "take tiles in any order: whole images are kept in memory",
     CLI_FLAG(settings.any_order)},
    {0, "max-pixels", "N", "refuse larger images (default: half of memory's bytes)",
     CLI_INT(limits.max_pixels, 1, INT64_MAX)},
    {0},
};

static const struct cli_program program = {
    .name = "stitch",
    .purpose = "join the tiles of a tensor stream into images",
    .synopsis = "[options] [STREAM]",
    .options = options,
    .notes =
        "Writes the mask that the probabilities give, else the stream's mask, else its image.\n"
        "--overlay needs the image in the stream: predict --keep-image.",
};

static struct destination output, overlay_output;

static void check_options(void)
{
    enum montage_kind kind = settings.kind;
    if (settings.montage.class >= 0 && kind != MONTAGE_PROB)
        cli_die_usage("--class goes with --prob");
    if (settings.overlay && kind >= MONTAGE_UNCERTAINTY && kind != MONTAGE_MASK)
        cli_die_usage("--overlay goes with a mask or --prob");
    if (settings.force)
        guard_force();
    settings.montage.has_outlines = settings.overlay != NULL;
}

static void set_destination(struct destination *to, const char *path, const char *suffix)
{
    struct err err;
    if (image_destination_set(to, path, suffix, &err))
        cli_die_err(&err);
    if (destination_is_stdout(to))
        cli_refuse_terminal("an image");
}

static void prepare_outputs(void)
{
    set_destination(&output, settings.output, settings.suffix);
    if (!settings.overlay)
        return;
    set_destination(&overlay_output, settings.overlay, OVERLAY_SUFFIX);
    if (output.is_folder && overlay_output.is_folder)
        if (strcmp(settings.suffix, OVERLAY_SUFFIX) == 0)
            cli_die_usage("--suffix " OVERLAY_SUFFIX " is what the files of --overlay have");
    if (strcmp(output.path, overlay_output.path) == 0 && !output.is_folder)
        cli_die_usage("'%s' cannot be both -o and --overlay", output.path);
}

/* ---- an image ---- */

static struct montage montage; /* with a writer: there is an image */

static enum montage_kind choose_kind(const struct sample *sample)
{
    if (settings.kind != MONTAGE_LABELS)
        return settings.kind;
    return sample_array(sample, "prob")   ? MONTAGE_LABELS
           : sample_array(sample, "mask") ? MONTAGE_MASK
                                          : MONTAGE_IMAGE;
}

/* It comes from its image, if that is there, else from the stream. */
static struct image_output choose_output(const struct destination *to,
                                         const struct gather_image *image, enum image_format needed)
{
    bool is_there = access(image->name, F_OK) == 0;
    const char *source = is_there ? image->name : settings.stream;
    enum image_format format = settings.format >= 0 ? (enum image_format)settings.format : needed;
    return (struct image_output){to, image->stem, source, image_output_format(to, format),
                                 settings.compression};
}

static const struct array *array_of(const struct sample *sample, enum montage_kind kind,
                                    struct err *err)
{
    return sample_require(sample, montage_array(kind), err);
}

static const struct array *image_under(const struct sample *sample, struct err *err)
{
    if (sample_array(sample, "image"))
        return sample_require(sample, "image", err);
    err_set(err, STATUS_DATA,
            "no image to draw --overlay over; predict passes it on with --keep-image");
    return NULL;
}

static int measure(void *user, const struct sample *sample, size_t size[2], struct err *err)
{
    const struct array *array = array_of(sample, choose_kind(sample), err);
    (void)user;
    if (!array)
        return -1;
    memcpy(size, array->shape + montage_axis(choose_kind(sample)), 2 * sizeof *size);
    return 0;
}

static int begin_outlines(const struct gather_image *image, const struct sample *sample,
                          struct err *err)
{
    struct image_output to = choose_output(&overlay_output, image, IMAGE_PNG);
    const struct array *under = image_under(sample, err);
    if (!under)
        return -1;
    if (montage.options.kind == MONTAGE_IMAGE)
        return err_set(err, STATUS_DATA, "no mask and no probabilities for --overlay");
    return montage_outline(&montage, &to, under, err);
}

static int begin_image(void *user, const struct gather_image *image,
                       const struct gather_tile *first, struct err *err)
{
    struct montage_options wanted = settings.montage;
    wanted.kind = choose_kind(first->sample);
    wanted.blend = settings.blend >= 0 ? (enum blend_mode)settings.blend : blend_of(first->sample);
    const struct array *array = array_of(first->sample, wanted.kind, err);
    (void)user;
    if (!array)
        return -1;
    if (guard_input(first->meta.source))
        return err_memory(err, "names of inputs");
    size_t planes = montage_planes(wanted.kind, array);
    if (wanted.class >= 0 && (size_t)wanted.class >= planes)
        return err_set(err, STATUS_USAGE, "--class: '%s' has classes 0 to %zu", first->sample->key,
                       planes - 1);
    struct image_output to = choose_output(&output, image, montage_format(wanted.kind, array));
    if (montage_begin(&montage, &wanted, &to, image, first->meta.mask_unit, array, err))
        return -1;
    return settings.overlay ? begin_outlines(image, first->sample, err) : 0;
}

static int add_tile(void *user, const struct gather_tile *tile, struct err *err)
{
    (void)user;
    if (!settings.any_order && montage_write(&montage, tile->y, err))
        return -1;
    if (settings.overlay) {
        const struct array *under = image_under(tile->sample, err);
        if (!under || montage_add_under(&montage, under, tile, err))
            return -1;
    }
    const struct array *array = array_of(tile->sample, montage.options.kind, err);
    return array ? montage_add(&montage, array, tile, err) : -1;
}

static void warn_of_gaps(const struct gather_image *image)
{
    int64_t uncovered = montage_uncovered(&montage);
    if (image->missing > 0)
        cli_warn("%lld of the %lld tiles of '%s' are missing, %lld pixels without a tile are "
                 "background",
                 (long long)image->missing, (long long)(image->missing + image->tiles), image->name,
                 (long long)uncovered);
    else if (uncovered)
        cli_warn("%lld pixels of '%s' are in no tile and become background", (long long)uncovered,
                 image->name);
}

static int finish_image(void *user, const struct gather_image *image, struct err *err)
{
    (void)user;
    if (montage_write(&montage, image->height, err))
        return -1;
    warn_of_gaps(image);
    int result = montage_finish(&montage, err);
    montage_free(&montage);
    return result;
}

static void drop_image(void *user, const struct gather_image *image, const struct err *why)
{
    (void)user;
    (void)image;
    montage_free(&montage);
    cli_warn_err(why);
}

int main(int argc, char **argv)
{
    static const struct gather_taker taker = {.measure = measure,
                                              .begin = begin_image,
                                              .add = add_tile,
                                              .end = finish_image,
                                              .drop = drop_image,
                                              .progress = cli_progress};
    struct gather_options gathering = {.only_one = NULL};
    struct err err;
    cli_start(&program, argc, argv);
    check_options();
    prepare_outputs();
    if (settings.overlay && !overlay_output.is_folder)
        gathering.only_one = "--overlay";
    if (!output.is_folder)
        gathering.only_one = "-o";
    settings.stream = cli_only_input();
    int result = gather_stream(settings.stream, &gathering, &taker, &err);
    montage_free(&montage);
    if (result < 0)
        cli_die_err(&err);
    if (result > 0)
        cli_warn_err(&err);
    return cli_finish(result ? STATUS_SOME_FAILED : STATUS_OK);
}
