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

enum {
    OPT_PROB = CLI_LONG_ONLY,
    OPT_UNCERTAINTY,
    OPT_LOGITS,
    OPT_FLOWS,
    OPT_MASK,
    OPT_IMAGE,
    OPT_CLASS,
    OPT_OVERLAY,
    OPT_SUFFIX,
    OPT_ANY_ORDER,
    OPT_FORCE,
};

static const struct cli_option options[] = {
    {'o', "output", "FILE|DIR", "where to write (default standard output)"},
    {'b', "blend", "mean|gauss|vote", "how overlapping tiles are weighed (default mean)"},
    {'t', "threshold", "P", "foreground where its probability is at least P (two classes)"},
    {OPT_PROB, "prob", NULL, "write the probability of the foreground"},
    {OPT_CLASS, "class", "N", "with --prob: of class N, 0 is the background"},
    {OPT_UNCERTAINTY, "uncertainty", NULL, "write the uncertainty"},
    {OPT_LOGITS, "logits", NULL, "write the logits, a channel each (TIFF)"},
    {OPT_FLOWS, "flows", NULL, "write the flows, a channel each (TIFF)"},
    {OPT_MASK, "mask", NULL, "write the mask that the stream carries"},
    {OPT_IMAGE, "image", NULL, "write the image that the stream carries"},
    {OPT_OVERLAY, "overlay", "FILE|DIR", "also draw the mask's outlines over the stream's image"},
    {'f', "format", "png|tiff",
     "format, where no file name tells it (default png, tiff for floats)"},
    {'c', "compression", "none|deflate|lzw", "of TIFF (default deflate)"},
    {OPT_SUFFIX, "suffix", "TEXT", "with -o DIR: what file names have after the stem"},
    {OPT_FORCE, "force", NULL, "with -o DIR: replace files that are not of an earlier run"},
    {OPT_ANY_ORDER, "any-order", NULL, "take tiles in any order: whole images are kept in memory"},
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

static struct {
    const char *output, *overlay;
    struct montage_rules rules;
    bool kind_is_set; /* else the first that the stream has of labels, mask, image */
    int format;       /* -1: by the name */
    enum image_compression compression;
    const char *suffix;
    const char *stream;
    bool any_order;
} settings = {.output = "-", .rules.class = -1, .format = -1, .suffix = ""};

static struct destination output, overlay_output;

static void set_kind(enum montage_kind kind)
{
    if (settings.kind_is_set && settings.rules.kind != kind)
        cli_die_usage("only one of --prob, --uncertainty, --logits, --flows, --mask, --image");
    settings.kind_is_set = true;
    settings.rules.kind = kind;
}

static void check_options(void)
{
    enum montage_kind kind = settings.rules.kind;
    if (settings.rules.class >= 0 && kind != MONTAGE_PROB)
        cli_die_usage("--class goes with --prob");
    if (settings.overlay && kind >= MONTAGE_UNCERTAINTY && kind != MONTAGE_MASK)
        cli_die_usage("--overlay goes with a mask or --prob");
    settings.rules.has_outlines = settings.overlay != NULL;
}

static void parse_options(void)
{
    for (int c; (c = cli_next_option()) != -1;) {
        switch (c) {
        case 'o':
            settings.output = cli_argument();
            break;
        case 'b':
            settings.rules.blend = (enum blend_mode)cli_choice("mean|gauss|vote");
            break;
        case 't':
            settings.rules.threshold = (float)cli_real(1e-6, 1);
            break;
        case 'f':
            settings.format = cli_choice("png|tiff");
            break;
        case 'c':
            settings.compression =
                (enum image_compression)(IMAGE_UNCOMPRESSED + cli_choice("none|deflate|lzw"));
            break;
        case OPT_CLASS:
            settings.rules.class = (int)cli_int(0, MONTAGE_MAX_CLASSES - 1);
            break;
        case OPT_OVERLAY:
            settings.overlay = cli_argument();
            break;
        case OPT_SUFFIX:
            settings.suffix = cli_argument();
            break;
        case OPT_FORCE:
            guard_force();
            break;
        case OPT_ANY_ORDER:
            settings.any_order = true;
            break;
        default:
            set_kind((enum montage_kind)(MONTAGE_PROB + (c - OPT_PROB)));
        }
    }
    check_options();
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
    if (settings.kind_is_set)
        return settings.rules.kind;
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
    if (montage.rules.kind == MONTAGE_IMAGE)
        return err_set(err, STATUS_DATA, "no mask and no probabilities for --overlay");
    return montage_outline(&montage, &to, under, err);
}

static int begin_image(void *user, const struct gather_image *image,
                       const struct gather_tile *first, struct err *err)
{
    struct montage_rules rules = settings.rules;
    rules.kind = choose_kind(first->sample);
    const struct array *array = array_of(first->sample, rules.kind, err);
    (void)user;
    if (!array)
        return -1;
    if (guard_input(first->meta.source))
        return err_memory(err, "names of inputs");
    size_t planes = montage_planes(rules.kind, array);
    if (rules.class >= 0 && (size_t)rules.class >= planes)
        return err_set(err, STATUS_USAGE, "--class: '%s' has classes 0 to %zu", first->sample->key,
                       planes - 1);
    struct image_output to = choose_output(&output, image, montage_format(rules.kind, array));
    if (montage_begin(&montage, &rules, &to, image, first->meta.mask_unit, array, err))
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
    const struct array *array = array_of(tile->sample, montage.rules.kind, err);
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
    struct gather_rules rules = {.only_one = NULL};
    struct err err;
    cli_start(&program, argc, argv);
    parse_options();
    prepare_outputs();
    if (settings.overlay && !overlay_output.is_folder)
        rules.only_one = "--overlay";
    if (!output.is_folder)
        rules.only_one = "-o";
    settings.stream = cli_only_input();
    int result = gather_stream(settings.stream, &rules, &taker, &err);
    montage_free(&montage);
    if (result < 0)
        cli_die_err(&err);
    if (result > 0)
        cli_warn_err(&err);
    return cli_finish(result ? STATUS_SOME_FAILED : STATUS_OK);
}
