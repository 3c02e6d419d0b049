/* stitch: a tensor stream to images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/destination.h"
#include "core/names.h"
#include "image/image.h"
#include "ops/maps.h"
#include "ops/mosaic.h"
#include "stream/walk.h"

#define MAX_SIDE   (1 << 24) /* pixels of an image's side */
#define MAX_PLANES 256

enum {
    OPT_PROB = CLI_LONG_ONLY,
    OPT_UNCERTAINTY,
    OPT_LOGITS,
    OPT_MASK,
    OPT_IMAGE,
    OPT_CLASS,
    OPT_SUFFIX,
    OPT_ANY_ORDER,
};

static const struct cli_option options[] = {
    {'o', "output", "FILE|DIR", "where to write (default standard output)"},
    {'b', "blend", "mean|gauss|vote", "how overlapping tiles are weighed (default mean)"},
    {'t', "threshold", "P", "foreground where its probability is at least P (two classes)"},
    {OPT_PROB, "prob", NULL, "write the probability of the foreground"},
    {OPT_CLASS, "class", "N", "with --prob: of class N, 0 is the background"},
    {OPT_UNCERTAINTY, "uncertainty", NULL, "write the uncertainty"},
    {OPT_LOGITS, "logits", NULL, "write the logits, a channel each (TIFF)"},
    {OPT_MASK, "mask", NULL, "write the mask that the stream carries"},
    {OPT_IMAGE, "image", NULL, "write the image that the stream carries"},
    {'f', "format", "png|tiff",
     "format, where no file name tells it (default png, tiff for floats)"},
    {'c', "compression", "none|deflate|lzw", "of TIFF (default deflate)"},
    {OPT_SUFFIX, "suffix", "TEXT", "with -o DIR: what file names have after the stem"},
    {OPT_ANY_ORDER, "any-order", NULL, "take tiles in any order: whole images are kept in memory"},
    {0},
};

static const struct cli_program program = {
    .name = "stitch",
    .purpose = "join the tiles of a tensor stream into images",
    .synopsis = "[options] [STREAM]",
    .options = options,
    .notes = "Writes the mask that the probabilities give, else the stream's mask, else its image.",
};

/* What is written, and the array of a sample that it is made of. */
enum product {
    PRODUCT_BEST, /* labels, mask or image, the first that the stream has */
    PRODUCT_LABELS,
    PRODUCT_PROB,
    PRODUCT_UNCERTAINTY,
    PRODUCT_LOGITS,
    PRODUCT_MASK,
    PRODUCT_IMAGE,
};

static const char *const array_names[] = {
    [PRODUCT_LABELS] = "prob",   [PRODUCT_PROB] = "prob", [PRODUCT_UNCERTAINTY] = "uncertainty",
    [PRODUCT_LOGITS] = "logits", [PRODUCT_MASK] = "mask", [PRODUCT_IMAGE] = "image",
};

static struct {
    const char *output;
    enum blend_mode blend;
    float threshold; /* 0: the most probable class */
    int64_t class;   /* -1: all but the background */
    enum product product;
    int format; /* -1: by the name */
    enum image_compression compression;
    const char *suffix;
    bool any_order;
} settings = {.output = "-", .class = -1, .format = -1, .suffix = ""};

static struct destination output;

static void set_product(enum product product)
{
    if (settings.product != PRODUCT_BEST && settings.product != product)
        cli_die_usage("only one of --prob, --uncertainty, --logits, --mask, --image");
    settings.product = product;
}

static void parse_options(void)
{
    for (int c; (c = cli_next_option()) != -1;) {
        switch (c) {
        case 'o':
            settings.output = cli_argument();
            break;
        case 'b':
            settings.blend = (enum blend_mode)cli_choice("mean|gauss|vote");
            break;
        case 't':
            settings.threshold = (float)cli_real(1e-6, 1);
            break;
        case 'f':
            settings.format = cli_choice("png|tiff");
            break;
        case 'c':
            settings.compression =
                (enum image_compression)(IMAGE_UNCOMPRESSED + cli_choice("none|deflate|lzw"));
            break;
        case OPT_CLASS:
            settings.class = cli_int(0, MAX_PLANES - 1);
            break;
        case OPT_SUFFIX:
            settings.suffix = cli_argument();
            break;
        case OPT_ANY_ORDER:
            settings.any_order = true;
            break;
        default:
            set_product((enum product)(PRODUCT_PROB + (c - OPT_PROB)));
        }
    }
    if (settings.class >= 0 && settings.product != PRODUCT_PROB)
        cli_die_usage("--class goes with --prob");
}

static void prepare_output(void)
{
    struct err err;
    if (destination_set(&output, settings.output, settings.suffix, &err) ||
        (!output.is_folder && image_check_name(output.path, &err)))
        cli_die_err(&err);
    if (destination_is_stdout(&output))
        cli_refuse_terminal("an image");
}

/* ---- an image that is being put together ---- */

struct canvas {
    char id[SAMPLE_MAX_NAME + 2 + sizeof((struct tile_meta *)0)->source]; /* of the source image */
    struct tile_meta meta;                                                /* of its first tile */
    enum product product;
    enum dtype dtype; /* of the samples' arrays; blended ones are float32 */
    size_t planes;    /* classes, logits, or channels */
    struct mosaic mosaic;
    int64_t seen; /* tiles */
    struct image_writer *writer;
    struct image_info info;
    unsigned char *line; /* a blended row as it is written */
};

static bool is_blended(const struct canvas *canvas)
{
    return canvas->product != PRODUCT_MASK && canvas->product != PRODUCT_IMAGE;
}

static void canvas_free(struct canvas *canvas)
{
    image_abort(canvas->writer);
    mosaic_free(&canvas->mosaic);
    free(canvas->line);
    *canvas = (struct canvas){0};
}

/* ---- names of files ---- */

/* Notes the name down; false when it was there. */
static bool claim_name(const char *name)
{
    static struct names used;
    struct err err;
    int is_new = names_add(&used, name, &err);
    if (is_new < 0)
        cli_die_err(&err);
    return is_new;
}

/* The stem of the source's true name, "" when there is none that is fit for a file. */
static void source_stem(const char *source, char *stem, size_t size)
{
    size_t length;
    const char *name = names_stem(source, &length);
    snprintf(stem, size, "%.*s", (int)length, name);
}

/* The part of a key that all tiles of an image share: what comes before the last
 * two of the components STEM/SIZE/PLACE. */
static void image_key(const char *key, char *to, size_t size)
{
    snprintf(to, size, "%s", key);
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(to, '/');
        if (slash)
            *slash = '\0';
    }
}

static enum image_format choose_format(const struct canvas *canvas)
{
    bool named = !output.is_folder && !destination_is_stdout(&output);
    if (settings.format >= 0)
        return (enum image_format)settings.format;
    if (named)
        return image_format_of_name(settings.output);
    bool floats = canvas->product == PRODUCT_LOGITS || canvas->dtype == DTYPE_U32 ||
                  (canvas->product == PRODUCT_IMAGE && canvas->dtype == DTYPE_F32);
    return floats ? IMAGE_TIFF : IMAGE_PNG;
}

static int file_name(const struct canvas *canvas, const char *key, enum image_format format,
                     char *path, size_t size, struct err *err)
{
    char stem[SAMPLE_MAX_NAME + 1];
    const char *ending = format == IMAGE_TIFF ? "tif" : "png";
    if (!output.is_folder)
        return destination_file(&output, key, ending, path, size, err);
    source_stem(canvas->meta.source, stem, sizeof stem);
    if (!*stem || !claim_name(stem)) {
        image_key(key, stem, sizeof stem);
        for (char *p = stem; *p; p++)
            *p = *p == '/' ? '_' : *p;
        if (!claim_name(stem))
            return err_set(err, STATUS_DATA,
                           "the tiles of '%s' come in several places of the stream", stem);
    }
    return destination_file_of_stem(&output, stem, ending, path, size, err);
}

/* ---- beginning an image ---- */

static enum product choose_product(const struct sample *sample)
{
    if (settings.product != PRODUCT_BEST)
        return settings.product;
    return sample_array(sample, "prob")   ? PRODUCT_LABELS
           : sample_array(sample, "mask") ? PRODUCT_MASK
                                          : PRODUCT_IMAGE;
}

/* Bits and channels of the image that is written. */
static int plan_output(struct canvas *canvas, enum image_format format, struct err *err)
{
    struct image_info *info = &canvas->info;
    *info = (struct image_info){.width = canvas->meta.source_width,
                                .height = canvas->meta.source_height,
                                .channels = 1,
                                .bits = 8,
                                .pixel_width = canvas->meta.pixel_width,
                                .pixel_height = canvas->meta.pixel_height};
    if (canvas->product == PRODUCT_PROB || canvas->product == PRODUCT_UNCERTAINTY)
        info->bits = format == IMAGE_TIFF ? 32 : 16;
    else if (canvas->product != PRODUCT_LABELS)
        info->bits = 8 * (int)dtype_size(canvas->dtype);
    if (canvas->product == PRODUCT_LOGITS || canvas->product == PRODUCT_IMAGE)
        info->channels = (int)canvas->planes;
    info->is_label = canvas->product == PRODUCT_MASK && canvas->dtype == DTYPE_U32;
    if (canvas->product == PRODUCT_LABELS && canvas->planes > MAX_PLANES)
        return err_set(err, STATUS_DATA, "%zu classes, at most %d are supported", canvas->planes,
                       MAX_PLANES);
    return 0;
}

static int begin_mosaic(struct canvas *canvas, struct err *err)
{
    struct mosaic_rules rules = {.width = canvas->meta.source_width,
                                 .height = canvas->meta.source_height,
                                 .blended = is_blended(canvas),
                                 .labels = canvas->product == PRODUCT_MASK,
                                 .planes = canvas->planes,
                                 .dtype = canvas->dtype,
                                 .blend = settings.blend};
    canvas->line = malloc(image_row_bytes(&canvas->info));
    return canvas->line ? mosaic_new(&canvas->mosaic, &rules, err) : err_memory(err, "a row");
}

static size_t planes_of(enum product product, const struct array *array)
{
    if (product == PRODUCT_UNCERTAINTY || product == PRODUCT_MASK)
        return 1;
    return array->shape[product == PRODUCT_IMAGE ? 2 : 0];
}

static int begin_image(struct canvas *canvas, const struct sample *sample,
                       const struct tile_meta *meta, const char *id, struct err *err)
{
    char path[4096];
    *canvas = (struct canvas){.meta = *meta, .product = choose_product(sample)};
    snprintf(canvas->id, sizeof canvas->id, "%s", id);
    const struct array *array = sample_require(sample, array_names[canvas->product], err);
    if (!array)
        return -1;
    canvas->dtype = is_blended(canvas) ? DTYPE_F32 : array->dtype;
    canvas->planes = planes_of(canvas->product, array);
    if (settings.class >= (int64_t)canvas->planes)
        return err_set(err, STATUS_USAGE, "--class: '%s' has classes 0 to %zu", sample->key,
                       canvas->planes - 1);
    enum image_format format = choose_format(canvas);
    if (plan_output(canvas, format, err) ||
        file_name(canvas, sample->key, format, path, sizeof path, err) || begin_mosaic(canvas, err))
        return -1;
    return image_create(&canvas->writer, path, format, settings.compression, &canvas->info, err);
}

/* ---- tiles in, rows out ---- */

static int add_tile(struct canvas *canvas, const struct sample *sample,
                    const struct tile_meta *meta, struct err *err)
{
    const struct array *array = sample_require(sample, array_names[canvas->product], err);
    if (!array)
        return -1;
    if (array_count(array) == 0)
        return err_set(err, STATUS_DATA, "an empty tile");
    canvas->seen++;
    return mosaic_add(&canvas->mosaic, array, meta->x, meta->y, meta->width, meta->height, err);
}

/* Two classes are drawn in black and white, more as their numbers. */
static void label_line(struct canvas *canvas, const float *row)
{
    size_t width = (size_t)canvas->info.width;
    blend_labels(row, canvas->planes, width, settings.threshold, canvas->line);
    for (size_t x = 0; x < width && canvas->planes <= 2; x++)
        canvas->line[x] = canvas->line[x] ? 255 : 0;
}

static void blended_line(struct canvas *canvas, float *row)
{
    size_t width = (size_t)canvas->info.width;
    void *line = canvas->line;
    if (canvas->product == PRODUCT_LABELS) {
        label_line(canvas, row);
        return;
    }
    if (canvas->product == PRODUCT_LOGITS) {
        maps_interleave(row, line, canvas->planes, width);
        return;
    }
    if (canvas->product == PRODUCT_PROB)
        maps_probability(row, canvas->planes, width, (int)settings.class, row);
    if (canvas->info.bits == 32)
        memcpy(line, row, width * sizeof *row);
    else
        maps_to_16_bits(row, line, width);
}

/* White again is what was white in the mask's file. */
static bool has_unit(const struct canvas *canvas)
{
    int64_t unit = canvas->meta.mask_unit;
    return canvas->product == PRODUCT_MASK && ((canvas->dtype == DTYPE_U8 && unit == 255) ||
                                               (canvas->dtype == DTYPE_U16 && unit == 65535));
}

static int write_rows(void *user, void *rows, int64_t count, struct err *err)
{
    struct canvas *canvas = user;
    if (has_unit(canvas) && maps_to_unit(rows, canvas->dtype, canvas->meta.mask_unit,
                                         (size_t)(count * canvas->info.width), err))
        return -1;
    if (is_blended(canvas))
        blended_line(canvas, rows);
    return image_write_rows(canvas->writer, count, is_blended(canvas) ? canvas->line : rows, err);
}

static int write_until(struct canvas *canvas, int64_t until, struct err *err)
{
    return mosaic_give(&canvas->mosaic, until, write_rows, canvas, err);
}

/* ---- the stream ---- */

static void warn_of_gaps(const struct canvas *canvas)
{
    const char *name = *canvas->meta.source ? canvas->meta.source : canvas->id;
    int64_t missing = canvas->meta.count - canvas->seen;
    if (missing > 0)
        cli_warn("%lld of the %lld tiles of '%s' are missing, %lld pixels without a tile are "
                 "background",
                 (long long)missing, (long long)canvas->meta.count, name,
                 (long long)canvas->mosaic.uncovered);
    else if (canvas->mosaic.uncovered)
        cli_warn("%lld pixels of '%s' are in no tile and become background",
                 (long long)canvas->mosaic.uncovered, name);
}

static int finish_image(struct canvas *canvas, struct err *err)
{
    if (!canvas->writer)
        return 0;
    if (write_until(canvas, canvas->info.height, err))
        return -1;
    warn_of_gaps(canvas);
    struct image_writer *writer = canvas->writer;
    canvas->writer = NULL;
    int result = image_commit(writer, err);
    canvas_free(canvas);
    return result;
}

/* A sample without a place is an image of its own. */
static int take_place(const struct sample *sample, struct tile_meta *meta, struct err *err)
{
    int got = sample_get_meta(sample, meta, err);
    if (got < 0)
        return -1;
    if (got == 1 || meta->source_width == 0 || meta->source_height == 0) {
        const struct array *array =
            sample_require(sample, array_names[choose_product(sample)], err);
        if (!array)
            return -1;
        int axis =
            choose_product(sample) <= PRODUCT_PROB || choose_product(sample) == PRODUCT_LOGITS ? 1
                                                                                               : 0;
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
    image_key(sample->key, key, sizeof key);
    snprintf(id, sizeof id, "%s:%s", key, meta->source);
    bool same = canvas->writer && strcmp(id, canvas->id) == 0;
    if (same && meta->source_width == canvas->info.width &&
        meta->source_height == canvas->info.height)
        return 0;
    if (same)
        return err_set(err, STATUS_DATA, "its image has another size than before");
    if (canvas->writer && !output.is_folder)
        return err_set(err, STATUS_USAGE, "the stream has several images: use -o DIR/");
    if (finish_image(canvas, err))
        return -1;
    return begin_image(canvas, sample, meta, id, err);
}

static int take_sample(void *user, const struct sample *sample, struct err *err)
{
    static uint64_t samples;
    struct canvas *canvas = user;
    struct tile_meta meta;
    if (take_place(sample, &meta, err) || choose_image(canvas, sample, &meta, err))
        return -1;
    if (!settings.any_order && write_until(canvas, meta.y, err))
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
    prepare_output();
    const char *path = cli_operand_count() ? cli_operands()[0] : "-";
    int result = stream_walk(path, take_sample, &canvas, &err);
    if (result == 0 && !canvas.writer)
        result = err_set(&err, STATUS_DATA, "read '%s': no samples, so no image",
                         strcmp(path, "-") == 0 ? "standard input" : path);
    if (result == 0)
        result = finish_image(&canvas, &err);
    canvas_free(&canvas);
    if (result)
        cli_die_err(&err);
    return cli_finish(STATUS_OK);
}
