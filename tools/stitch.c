/* stitch: a tensor stream to images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/destination.h"
#include "core/names.h"
#include "image/image.h"
#include "ops/draw.h"
#include "ops/maps.h"
#include "ops/mosaic.h"
#include "ops/overlay.h"
#include "stream/walk.h"

#define MAX_SIDE   (1 << 24) /* pixels of an image's side */
#define MAX_PLANES 256

#define OVERLAY_SUFFIX "_overlay"

enum {
    OPT_PROB = CLI_LONG_ONLY,
    OPT_UNCERTAINTY,
    OPT_LOGITS,
    OPT_MASK,
    OPT_IMAGE,
    OPT_CLASS,
    OPT_OVERLAY,
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
    {OPT_OVERLAY, "overlay", "FILE|DIR", "also draw the mask's outlines over the stream's image"},
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
    .notes =
        "Writes the mask that the probabilities give, else the stream's mask, else its image.\n"
        "--overlay needs the image in the stream: predict --keep-image.",
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
    const char *output, *overlay;
    enum blend_mode blend;
    float threshold; /* 0: the most probable class */
    int64_t class;   /* -1: all but the background */
    enum product product;
    int format; /* -1: by the name */
    enum image_compression compression;
    const char *suffix;
    bool any_order;
} settings = {.output = "-", .class = -1, .format = -1, .suffix = ""};

static struct destination output, overlay_output;

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
        case OPT_OVERLAY:
            settings.overlay = cli_argument();
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
    if (settings.overlay &&
        (settings.product == PRODUCT_UNCERTAINTY || settings.product == PRODUCT_LOGITS ||
         settings.product == PRODUCT_IMAGE))
        cli_die_usage("--overlay goes with a mask or --prob");
}

static void set_destination(struct destination *to, const char *path, const char *suffix)
{
    struct err err;
    if (destination_set(to, path, suffix, &err) || (!to->is_folder && image_check_name(path, &err)))
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
    unsigned char *line;            /* a blended row as it is written */
    char stem[SAMPLE_MAX_NAME + 1]; /* of names in a folder */
    struct picture {
        struct mosaic mosaic; /* of the image */
        struct overlay *overlay;
        struct image_writer *writer;
        uint32_t *labels; /* the row of the mask that was given last */
    } picture;            /* with --overlay */
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
    image_abort(canvas->picture.writer);
    overlay_free(canvas->picture.overlay);
    mosaic_free(&canvas->picture.mosaic);
    free(canvas->picture.labels);
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

/* What the image's files are named after in a folder. */
static int choose_stem(struct canvas *canvas, const char *key, struct err *err)
{
    char *stem = canvas->stem;
    source_stem(canvas->meta.source, stem, sizeof canvas->stem);
    if (*stem && claim_name(stem))
        return 0;
    image_key(key, stem, sizeof canvas->stem);
    for (char *p = stem; *p; p++)
        *p = *p == '/' ? '_' : *p;
    if (claim_name(stem))
        return 0;
    return err_set(err, STATUS_DATA, "the tiles of '%s' come in several places of the stream",
                   stem);
}

static enum image_format choose_format(const struct destination *to, bool needs_tiff)
{
    if (!to->is_folder && !destination_is_stdout(to))
        return image_format_of_name(to->path);
    if (settings.format >= 0)
        return (enum image_format)settings.format;
    return needs_tiff ? IMAGE_TIFF : IMAGE_PNG;
}

static bool needs_tiff(const struct canvas *canvas)
{
    return canvas->product == PRODUCT_LOGITS || canvas->dtype == DTYPE_U32 ||
           (canvas->product == PRODUCT_IMAGE && canvas->dtype == DTYPE_F32);
}

static int create_file(struct image_writer **writer, const struct canvas *canvas,
                       const struct destination *to, enum image_format format,
                       const struct image_info *info, struct err *err)
{
    char path[4096];
    if (destination_file_of_stem(to, canvas->stem, format == IMAGE_TIFF ? "tif" : "png", path,
                                 sizeof path, err))
        return -1;
    return image_create(writer, path, format, settings.compression, info, err);
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
    if ((canvas->product == PRODUCT_LABELS || settings.overlay) && canvas->planes > MAX_PLANES)
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

static int draw_line(void *user, const uint8_t *rgb, struct err *err)
{
    return image_write_rows(((struct picture *)user)->writer, 1, rgb, err);
}

static const struct array *image_under(const struct sample *sample, struct err *err)
{
    if (sample_array(sample, "image"))
        return sample_require(sample, "image", err);
    err_set(err, STATUS_DATA,
            "no image to draw --overlay over; predict passes it on with --keep-image");
    return NULL;
}

static int begin_picture(struct canvas *canvas, const struct sample *sample, struct err *err)
{
    struct picture *picture = &canvas->picture;
    const struct array *image = image_under(sample, err);
    if (!image)
        return -1;
    if (canvas->product == PRODUCT_IMAGE)
        return err_set(err, STATUS_DATA, "no mask and no probabilities for --overlay");
    struct image_info info = canvas->info;
    info.channels = 3;
    info.bits = 8;
    info.is_label = false;
    struct mosaic_rules mosaic = {.width = info.width,
                                  .height = info.height,
                                  .planes = image->shape[2],
                                  .dtype = image->dtype};
    struct overlay_rules rules = {(size_t)info.width, (size_t)info.height, mosaic.planes,
                                  mosaic.dtype,       draw_line,           picture};
    picture->labels = malloc((size_t)info.width * sizeof *picture->labels);
    if (!picture->labels)
        return err_memory(err, "a row");
    if (overlay_new(&picture->overlay, &rules, err) || mosaic_new(&picture->mosaic, &mosaic, err))
        return -1;
    return create_file(&picture->writer, canvas, &overlay_output,
                       choose_format(&overlay_output, false), &info, err);
}

static int begin_image(struct canvas *canvas, const struct sample *sample,
                       const struct tile_meta *meta, const char *id, struct err *err)
{
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
    enum image_format format = choose_format(&output, needs_tiff(canvas));
    if ((output.is_folder || overlay_output.is_folder) && choose_stem(canvas, sample->key, err))
        return -1;
    if (plan_output(canvas, format, err) || begin_mosaic(canvas, err) ||
        create_file(&canvas->writer, canvas, &output, format, &canvas->info, err))
        return -1;
    return settings.overlay ? begin_picture(canvas, sample, err) : 0;
}

/* ---- tiles in, rows out ---- */

static int add_array(struct mosaic *mosaic, const struct array *array, const struct tile_meta *meta,
                     struct err *err)
{
    if (!array)
        return -1;
    if (array_count(array) == 0)
        return err_set(err, STATUS_DATA, "an empty tile");
    return mosaic_add(mosaic, array, meta->x, meta->y, meta->width, meta->height, err);
}

static int add_tile(struct canvas *canvas, const struct sample *sample,
                    const struct tile_meta *meta, struct err *err)
{
    canvas->seen++;
    if (settings.overlay && add_array(&canvas->picture.mosaic, image_under(sample, err), meta, err))
        return -1;
    return add_array(&canvas->mosaic, sample_require(sample, array_names[canvas->product], err),
                     meta, err);
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

/* The row of the mask, of which outlines are drawn. */
static void keep_labels(struct canvas *canvas, const void *row)
{
    int bits = is_blended(canvas) ? 8 : canvas->info.bits;
    if (is_blended(canvas))
        label_line(canvas, row);
    draw_labels_of(is_blended(canvas) ? canvas->line : row, (size_t)canvas->info.width, 1, bits,
                   canvas->picture.labels);
}

static int write_rows(void *user, void *rows, int64_t count, struct err *err)
{
    struct canvas *canvas = user;
    if (has_unit(canvas) && maps_to_unit(rows, canvas->dtype, canvas->meta.mask_unit,
                                         (size_t)(count * canvas->info.width), err))
        return -1;
    if (settings.overlay)
        keep_labels(canvas, rows);
    if (is_blended(canvas))
        blended_line(canvas, rows);
    return image_write_rows(canvas->writer, count, is_blended(canvas) ? canvas->line : rows, err);
}

static int draw_rows(void *user, void *rows, int64_t count, struct err *err)
{
    struct picture *picture = user;
    (void)count; /* one, as write_both asks for */
    return overlay_add(picture->overlay, picture->labels, rows, err);
}

/* A row of the mask, then that of the image under it. */
static int write_both(struct canvas *canvas, int64_t until, struct err *err)
{
    int rc = 0;
    for (int64_t y = canvas->mosaic.next_row; rc == 0 && y < until; y++) {
        rc = mosaic_give(&canvas->mosaic, y + 1, write_rows, canvas, err);
        if (rc == 0)
            rc = mosaic_give(&canvas->picture.mosaic, y + 1, draw_rows, &canvas->picture, err);
    }
    return rc;
}

static int write_until(struct canvas *canvas, int64_t until, struct err *err)
{
    until = until < canvas->info.height ? until : canvas->info.height;
    if (settings.overlay)
        return write_both(canvas, until, err);
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

static int commit(struct image_writer **writer, struct err *err)
{
    struct image_writer *whole = *writer;
    *writer = NULL;
    return image_commit(whole, err);
}

static int finish_image(struct canvas *canvas, struct err *err)
{
    if (!canvas->writer)
        return 0;
    if (write_until(canvas, canvas->info.height, err))
        return -1;
    warn_of_gaps(canvas);
    int result = settings.overlay ? overlay_finish(canvas->picture.overlay, err) : 0;
    if (result == 0)
        result = commit(&canvas->writer, err);
    if (result == 0 && settings.overlay)
        result = commit(&canvas->picture.writer, err);
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
    if (canvas->writer && settings.overlay && !overlay_output.is_folder)
        return err_set(err, STATUS_USAGE, "the stream has several images: use --overlay DIR/");
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
    prepare_outputs();
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
