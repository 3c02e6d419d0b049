/* stitch: a tensor stream to images. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/guard.h"
#include "core/io.h"
#include "core/names.h"
#include "stream/walk.h"
#include "tiles/montage.h"

#define MAX_SIDE (1 << 24) /* pixels of an image's side */

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

/* ---- beginning an image ---- */

/* The image that is being put together. */
struct canvas {
    /* Of its source: the key that its tiles share, a colon, the file. */
    char id[SAMPLE_MAX_NAME + 2 + sizeof((struct tile_meta *)0)->source];
    struct tile_meta meta;          /* of its first tile */
    int64_t seen;                   /* tiles */
    char stem[SAMPLE_MAX_NAME + 1]; /* of names in a folder */
    struct montage montage;         /* with a writer: there is an image */
};

static int choose_stem(struct canvas *canvas, const char *key, struct err *err)
{
    static struct names used;
    char image[SAMPLE_MAX_NAME + 1];
    sample_image_key(key, image, sizeof image);
    int is_new = names_choose_stem(&used, canvas->meta.source, image, canvas->stem,
                                   sizeof canvas->stem, err);
    if (is_new == 0)
        return err_set(err, STATUS_DATA, "the tiles of '%s' come in several places of the stream",
                       canvas->stem);
    return is_new < 0 ? -1 : 0;
}

static enum montage_kind choose_kind(const struct sample *sample)
{
    if (settings.kind_is_set)
        return settings.rules.kind;
    return sample_array(sample, "prob")   ? MONTAGE_LABELS
           : sample_array(sample, "mask") ? MONTAGE_MASK
                                          : MONTAGE_IMAGE;
}

/* It comes from its image, if that is there, else from the stream. */
static struct image_output choose_output(const struct destination *to, const struct canvas *canvas,
                                         enum image_format needed)
{
    bool is_there = access(canvas->meta.source, F_OK) == 0;
    const char *source = is_there ? canvas->meta.source : settings.stream;
    enum image_format format = settings.format >= 0 ? (enum image_format)settings.format : needed;
    return (struct image_output){to, canvas->stem, source, image_output_format(to, format),
                                 settings.compression};
}

static const struct array *tile_of(const struct sample *sample, enum montage_kind kind,
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

static int begin_outlines(struct canvas *canvas, const struct sample *sample, struct err *err)
{
    struct image_output to = choose_output(&overlay_output, canvas, IMAGE_PNG);
    const struct array *image = image_under(sample, err);
    if (!image)
        return -1;
    if (canvas->montage.rules.kind == MONTAGE_IMAGE)
        return err_set(err, STATUS_DATA, "no mask and no probabilities for --overlay");
    return montage_outline(&canvas->montage, &to, image, err);
}

static int begin_image(struct canvas *canvas, const struct sample *sample,
                       const struct tile_meta *meta, const char *id, struct err *err)
{
    struct montage_rules rules = settings.rules;
    rules.kind = choose_kind(sample);
    *canvas = (struct canvas){.meta = *meta};
    snprintf(canvas->id, sizeof canvas->id, "%s", id);
    const struct array *tile = tile_of(sample, rules.kind, err);
    if (!tile)
        return -1;
    if (guard_input(meta->source))
        return err_memory(err, "names of inputs");
    size_t planes = montage_planes(rules.kind, tile);
    if (rules.class >= 0 && (size_t)rules.class >= planes)
        return err_set(err, STATUS_USAGE, "--class: '%s' has classes 0 to %zu", sample->key,
                       planes - 1);
    if ((output.is_folder || overlay_output.is_folder) && choose_stem(canvas, sample->key, err))
        return -1;
    struct image_output to = choose_output(&output, canvas, montage_format(rules.kind, tile));
    if (montage_begin(&canvas->montage, &rules, &to, meta, tile, err))
        return -1;
    return settings.overlay ? begin_outlines(canvas, sample, err) : 0;
}

/* ---- the stream ---- */

static void warn_of_gaps(const struct canvas *canvas)
{
    const char *name = *canvas->meta.source ? canvas->meta.source : canvas->id;
    int64_t missing = canvas->meta.count - canvas->seen;
    int64_t uncovered = montage_uncovered(&canvas->montage);
    if (missing > 0)
        cli_warn("%lld of the %lld tiles of '%s' are missing, %lld pixels without a tile are "
                 "background",
                 (long long)missing, (long long)canvas->meta.count, name, (long long)uncovered);
    else if (uncovered)
        cli_warn("%lld pixels of '%s' are in no tile and become background", (long long)uncovered,
                 name);
}

static int finish_image(struct canvas *canvas, struct err *err)
{
    if (!canvas->montage.writer)
        return 0;
    if (montage_write(&canvas->montage, canvas->meta.source_height, err))
        return -1;
    warn_of_gaps(canvas);
    int result = montage_finish(&canvas->montage, err);
    montage_free(&canvas->montage);
    return result;
}

/* A sample without a place is an image of its own. */
static int take_place(const struct sample *sample, struct tile_meta *meta, struct err *err)
{
    int got = sample_get_meta(sample, meta, err);
    if (got < 0)
        return -1;
    if (got == 1 || meta->source_width == 0 || meta->source_height == 0) {
        enum montage_kind kind = choose_kind(sample);
        const struct array *array = tile_of(sample, kind, err);
        if (!array)
            return -1;
        int axis = kind <= MONTAGE_PROB || kind == MONTAGE_LOGITS || kind == MONTAGE_FLOWS ? 1 : 0;
        meta->source_height = meta->height = (int64_t)array->shape[axis];
        meta->source_width = meta->width = (int64_t)array->shape[axis + 1];
        meta->count = 1;
    }
    if (meta->source_width > MAX_SIDE || meta->source_height > MAX_SIDE || meta->width < 1 ||
        meta->height < 1)
        return err_set(err, STATUS_DATA, "a place that cannot be");
    return 0;
}

/* Begins another image when the sample belongs to one. */
static int choose_image(struct canvas *canvas, const struct sample *sample,
                        const struct tile_meta *meta, struct err *err)
{
    char key[SAMPLE_MAX_NAME + 1], id[sizeof canvas->id];
    sample_image_key(sample->key, key, sizeof key);
    snprintf(id, sizeof id, "%s:%s", key, meta->source);
    bool same = canvas->montage.writer && strcmp(id, canvas->id) == 0;
    if (same && meta->source_width == canvas->meta.source_width &&
        meta->source_height == canvas->meta.source_height)
        return 0;
    if (same)
        return err_set(err, STATUS_DATA, "its image has another size than before");
    if (canvas->montage.writer && !output.is_folder)
        return err_set(err, STATUS_USAGE, "the stream has several images: use -o DIR/");
    if (canvas->montage.writer && settings.overlay && !overlay_output.is_folder)
        return err_set(err, STATUS_USAGE, "the stream has several images: use --overlay DIR/");
    if (finish_image(canvas, err))
        return -1;
    return begin_image(canvas, sample, meta, id, err);
}

static int add_tile(struct canvas *canvas, const struct sample *sample,
                    const struct tile_meta *meta, struct err *err)
{
    struct montage *montage = &canvas->montage;
    canvas->seen++;
    if (settings.overlay) {
        const struct array *image = image_under(sample, err);
        if (!image || montage_add_under(montage, image, meta, err))
            return -1;
    }
    const struct array *tile = tile_of(sample, montage->rules.kind, err);
    return tile ? montage_add(montage, tile, meta, err) : -1;
}

static int take_sample(void *user, const struct sample *sample, struct err *err)
{
    static uint64_t samples;
    struct canvas *canvas = user;
    struct tile_meta meta;
    if (take_place(sample, &meta, err) || choose_image(canvas, sample, &meta, err))
        return -1;
    if (!settings.any_order && montage_write(&canvas->montage, meta.y, err))
        return -1;
    if (add_tile(canvas, sample, &meta, err))
        return -1;
    cli_progress("tiles", ++samples, 0);
    return 0;
}

int main(int argc, char **argv)
{
    static struct canvas canvas;
    struct err err;
    cli_start(&program, argc, argv);
    parse_options();
    if (cli_operand_count() > 1)
        cli_die_usage("one stream at most");
    prepare_outputs();
    const char *path = cli_operand_count() ? cli_operands()[0] : "-";
    settings.stream = path;
    int result = stream_walk(path, take_sample, &canvas, &err);
    if (result == 0 && !canvas.montage.writer)
        result =
            err_set(&err, STATUS_DATA, "read '%s': no samples, so no image", io_input_name(path));
    if (result == 0)
        result = finish_image(&canvas, &err);
    montage_free(&canvas.montage);
    if (result)
        cli_die_err(&err);
    return cli_finish(STATUS_OK);
}
