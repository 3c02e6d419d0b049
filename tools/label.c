/* label: masks, probabilities or flows to numbered cells and a table of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annot/export.h"
#include "cli/cli.h"
#include "core/channels.h"
#include "core/convert.h"
#include "core/destination.h"
#include "core/names.h"
#include "image/folder.h"
#include "image/labels.h"
#include "image/values.h"
#include "ops/assembly.h"
#include "ops/cells.h"
#include "ops/measure.h"
#include "ops/morphology.h"
#include "report/cells.h"
#include "stream/walk.h"

enum {
    OPT_METHOD = 'm',
    OPT_OUTPUT = 'o',
    OPT_FORMAT = 'f',
    OPT_THRESHOLD = 't',
    OPT_CONNECTIVITY = 'c',
    OPT_PROBABILITY = 'p',
    OPT_TABLE = 'T',
    OPT_IMAGE = 'i',
    OPT_MAP = CLI_LONG_ONLY,
    OPT_DEPTH,
    OPT_CELL_THRESHOLD,
    OPT_FLOW_THRESHOLD,
    OPT_STEPS,
    OPT_MAX_SHARE,
    OPT_MIN_SIZE,
    OPT_FILL,
    OPT_MAX_HOLE,
    OPT_CLEAR_BORDER,
    OPT_SMOOTH,
    OPT_SUFFIX,
    OPT_PIXEL_SIZE,
    OPT_ROIS,
    OPT_GEOJSON,
    OPT_COCO,
    OPT_COCO_RLE,
    OPT_SVG,
};

static const struct cli_option options[] = {
    {OPT_METHOD, "method", CELL_METHOD_WORDS, "how cells are found (default components)"},
    {OPT_OUTPUT, "output", "FILE|DIR", "label image (default standard output, none with a table)"},
    {OPT_FORMAT, "format", "png|tiff", "format, where no file name tells it (default tiff)"},
    {OPT_SUFFIX, "suffix", "TEXT", "with -o DIR: what file names have after the stem"},
    {OPT_TABLE, "table", "FILE", "write the table of cells, - for standard output"},
    {OPT_IMAGE, "image", "FILE|DIR", "images whose intensities the table has, matched by stem"},
    {OPT_PROBABILITY, "probability", NULL, "inputs are images of foreground probabilities"},
    {OPT_THRESHOLD, "threshold", "P", "least foreground probability (default: most probable)"},
    {OPT_CONNECTIVITY, "connectivity", "4|8", "neighbours of a pixel (default 8)"},
    {OPT_MAP, "map", "distance|probability", "where watershed looks for valleys"},
    {OPT_DEPTH, "depth", "D", "watershed: how deep a valley is, 0 to 1 (default 0.15)"},
    {OPT_CELL_THRESHOLD, "cell-threshold", "X", "flows: least cell logit (default 0)"},
    {OPT_FLOW_THRESHOLD, "flow-threshold", "X",
     "flows: largest flow error, 0 for any (default 0.4)"},
    {OPT_STEPS, "steps", "N", "flows: steps along the flow (default 200)"},
    {OPT_MAX_SHARE, "max-share", "S", "flows: largest share of the image (default 0.4)"},
    {OPT_SMOOTH, "smooth", "R", "smooth outlines: majority in a disc of R pixels"},
    {OPT_FILL, "fill", NULL, "fill holes (flows do)"},
    {OPT_MAX_HOLE, "max-hole", "N", "fill holes of at most N pixels"},
    {OPT_MIN_SIZE, "min-size", "N", "drop cells of fewer pixels (default 0, flows 15)"},
    {OPT_CLEAR_BORDER, "clear-border", NULL, "drop cells that touch the image's border"},
    {OPT_ROIS, "rois", "FILE|DIR", "write ImageJ regions of interest, a zip"},
    {OPT_GEOJSON, "geojson", "FILE|DIR", "write outlines as GeoJSON, for QuPath"},
    {OPT_COCO, "coco", "FILE", "write COCO JSON of all images, outlines as polygons"},
    {OPT_COCO_RLE, "coco-rle", "FILE", "the same with run lengths, which keep holes"},
    {OPT_SVG, "svg", "FILE|DIR", "write outlines as SVG"},
    {OPT_PIXEL_SIZE, "pixel-size", "UM[,UM]", "height and width of a pixel in micrometres"},
    {0},
};

static const struct cli_program program = {
    .name = "label",
    .purpose = "number cells and measure them",
    .synopsis = "[options] [IMAGE... | STREAM.tar]",
    .options = options,
    .notes = "Without operands a tensor stream is read from standard input.",
};

#define EXPORTS (OPT_SVG - OPT_ROIS + 1)

static struct {
    struct cell_rules rules;
    bool probability, probability_map, image_is_folder;
    int64_t min_size; /* -1: the method's */
    float threshold;  /* 0: the most probable class */
    int format;       /* -1: by the name */
    const char *output, *suffix, *table, *image;
    const char *exports[EXPORTS];     /* paths, by option */
    double pixel_height, pixel_width; /* given by the user */
} settings = {
    .rules = {.connectivity = 8, .depth = 0.15, .flow = FLOW_RULES_DEFAULT, .renumber = true},
    .min_size = -1,
    .format = -1,
    .suffix = "",
};

static struct cell_table *table;
static int table_channels; /* of the intensities; 0: no header yet */
static struct folder images;
static struct destination output;
static struct annot_export exports[EXPORTS];
static bool some_failed;

/* One image and what is known of it. */
struct job {
    const char *name;
    size_t height, width;
    double pixel_height, pixel_width; /* micrometres, 0 when unknown */
    struct picture picture;           /* its prediction becomes the labels */
    struct spill classes;             /* a copy of the classes when there are several */
    uint32_t count;                   /* cells */
    struct image_values file;         /* the intensities, when a file has them */
    size_t row;                       /* the next of the picture's image */
};

static void job_free(struct job *job)
{
    picture_free(&job->picture);
    spill_free(&job->classes);
    image_values_close(&job->file);
}

static bool is_flows(void)
{
    return settings.rules.method == CELLS_FLOWS;
}

/* Room for a part of the picture, `planes` values a pixel. */
static void *make_part(struct job *job, enum canvas_part part, size_t planes, struct err *err)
{
    size_t shape[] = {planes, job->height, job->width}, bytes;
    struct spill *room = &job->picture.room[part];
    if (array_check_bytes(DTYPE_U32, 3, shape, &bytes, err) || spill_new(room, bytes, err))
        return NULL;
    return room->data;
}

static int make_labels(struct job *job, struct err *err)
{
    job->picture.prediction = make_part(job, CANVAS_PREDICTION, 1, err);
    return job->picture.prediction ? 0 : -1;
}

/* ---- the table ---- */

static uint32_t class_of(const struct job *job, const struct box *box)
{
    const uint32_t *labels = job->picture.prediction, *classes = job->classes.data;
    size_t at = box->top * job->width + box->left;
    while (labels[at] != box->label)
        at++;
    return classes ? classes[at] : 1;
}

static int write_cell(void *user, const struct region *region, struct err *err)
{
    const struct job *job = user;
    struct quantity quantities[REGION_MAX_QUANTITIES];
    struct cell_line line = {job->name, region->box.label, class_of(job, &region->box),
                             job->pixel_height, job->pixel_width};
    int count = region_quantities(region, table_channels, quantities);
    return cell_table_put(table, &line, quantities, count, err);
}

static int write_head(int channels, struct err *err)
{
    struct quantity names[REGION_MAX_QUANTITIES];
    if (table_channels == 0)
        table_channels = channels > 1 ? channels : 1;
    int count = region_quantities(&(struct region){0}, table_channels, names);
    return cell_table_head(table, names, count, err);
}

/* ---- intensities ---- */

static int row_of_file(void *source, float *to, struct err *err)
{
    struct job *job = source;
    return image_values_row(&job->file, to, err);
}

static int row_of_stream(void *source, float *to, struct err *err)
{
    struct job *job = source;
    const struct array *image = &job->picture.image;
    size_t channels = image->shape[2], at = job->row++ * job->width * channels;
    size_t keep = (size_t)channels_after((int)channels, CHANNELS_KEEP);
    keep = keep < REGION_MAX_CHANNELS ? keep : REGION_MAX_CHANNELS;
    convert_pixels((const char *)image->data + at * dtype_size(image->dtype), image->dtype,
                   channels, keep, job->width, to);
    (void)err;
    return 0;
}

/* The file that has the intensities: the one given, or that of the same stem. */
static const char *image_path(const struct job *job, struct err *err)
{
    char stem[1024];
    size_t length;
    if (!settings.image_is_folder)
        return settings.image;
    const char *name = names_stem(job->name, &length);
    snprintf(stem, sizeof stem, "%.*s", (int)length, name);
    const struct folder_file *file = folder_find(&images, stem);
    if (!file)
        err_set(err, STATUS_NO_INPUT, "match '%s': '%s' has no image of that stem", job->name,
                settings.image);
    return file ? file->path : NULL;
}

static int open_file(struct job *job, struct err *err)
{
    const char *path = image_path(job, err);
    if (!path || image_values_open(&job->file, path, REGION_MAX_CHANNELS, IMAGE_AS_STORED, err))
        return -1;
    const struct image_info *info = job->file.info;
    if ((size_t)info->height != job->height || (size_t)info->width != job->width)
        return err_set(err, STATUS_DATA, "read '%s': %lld x %lld pixels, but '%s' has %zu x %zu",
                       path, (long long)info->width, (long long)info->height, job->name, job->width,
                       job->height);
    if (!(job->pixel_height > 0)) {
        job->pixel_height = info->pixel_height;
        job->pixel_width = info->pixel_width;
    }
    return 0;
}

static int find_intensities(struct job *job, struct measure_image *image, struct err *err)
{
    const struct array *streamed = &job->picture.image;
    *image = (struct measure_image){.source = job};
    if (settings.image) {
        if (open_file(job, err))
            return -1;
        image->row = row_of_file;
        image->channels = job->file.channels;
    } else if (streamed->ndim) {
        int channels = channels_after((int)streamed->shape[2], CHANNELS_KEEP);
        image->row = row_of_stream;
        image->channels = channels < REGION_MAX_CHANNELS ? channels : REGION_MAX_CHANNELS;
    }
    return 0;
}

static int tabulate(struct job *job, struct err *err)
{
    struct measure_image image;
    const struct picture *p = &job->picture;
    if (find_intensities(job, &image, err) || write_head(image.channels, err))
        return -1;
    return measure_all(p->prediction, job->height, job->width, &image, p->foreground, p->doubt,
                       write_cell, job, err);
}

/* ---- label images and exports ---- */

static int write_labels(const struct job *job, struct err *err)
{
    char path[4096];
    uint32_t max = labels_max(job->picture.prediction, job->height * job->width);
    struct image_info info = image_label_info((int64_t)job->width, (int64_t)job->height, max, 16);
    bool named = !output.is_folder && !destination_is_stdout(&output);
    bool png = settings.format == IMAGE_PNG && max <= UINT16_MAX;
    enum image_format format = png ? IMAGE_PNG : IMAGE_TIFF;
    if (named)
        format = image_format_of_name(output.path);
    info.pixel_height = job->pixel_height;
    info.pixel_width = job->pixel_width;
    if (destination_file(&output, job->name, png ? "png" : "tif", path, sizeof path, err))
        return -1;
    if (format == IMAGE_PNG && info.bits == 32)
        return err_set(err, STATUS_USAGE, "write '%s': %u cells are too many for PNG, use TIFF",
                       path, max);
    return image_save_labels(path, format, &info, job->picture.prediction, err);
}

static int export_all(const struct job *job, struct err *err)
{
    struct annot_image image = {job->name, (int64_t)job->width, (int64_t)job->height};
    struct array labels =
        array_view(DTYPE_U32, 2, (size_t[]){job->height, job->width}, job->picture.prediction);
    for (size_t i = 0; i < EXPORTS; i++)
        if (settings.exports[i] && annot_export_put(&exports[i], &image, &labels, err))
            return -1;
    return 0;
}

/* ---- a job from beginning to end ---- */

static bool has_several_values(const uint32_t *labels, size_t count)
{
    uint32_t first = 0;
    for (size_t i = 0; i < count; i++) {
        first = first ? first : labels[i];
        if (labels[i] && labels[i] != first)
            return true;
    }
    return false;
}

/* The table says of which class a cell is. */
static int copy_classes(struct job *job, struct err *err)
{
    const uint32_t *labels = job->picture.prediction;
    size_t count = job->height * job->width;
    if (!table || is_flows() || settings.rules.method == CELLS_KEEP ||
        !has_several_values(labels, count))
        return 0;
    if (spill_new(&job->classes, count * sizeof *labels, err))
        return -1;
    memcpy(job->classes.data, labels, count * sizeof *labels);
    return 0;
}

static int finish(struct job *job, struct err *err)
{
    const struct picture *p = &job->picture;
    size_t plane = job->height * job->width;
    const float *map = settings.probability_map ? p->foreground : NULL;
    if (settings.probability_map && !map)
        return err_set(err, STATUS_DATA, "label '%s': there are no probabilities of two classes",
                       job->name);
    if (settings.pixel_height > 0) {
        job->pixel_height = settings.pixel_height;
        job->pixel_width = settings.pixel_width;
    }
    if (copy_classes(job, err) ||
        cells_find(p->prediction, job->height, job->width, &settings.rules, map, p->values,
                   p->values ? p->values + 2 * plane : NULL, &job->count, err))
        return -1;
    if (table && tabulate(job, err))
        return -1;
    if (settings.output && write_labels(job, err))
        return -1;
    return export_all(job, err);
}

/* ---- images ---- */

static int load_mask(struct job *job, const char *path, struct err *err)
{
    struct image_reader *reader;
    if (image_open_labels(&reader, path, err))
        return -1;
    const struct image_info *info = image_info(reader);
    job->height = (size_t)info->height;
    job->width = (size_t)info->width;
    job->pixel_height = info->pixel_height;
    job->pixel_width = info->pixel_width;
    int rc = image_check_labels(path, info, err) || make_labels(job, err) ? -1 : 0;
    if (rc == 0)
        rc = image_read_labels32(reader, path, info->height, job->picture.prediction, err);
    image_close(reader);
    return rc;
}

/* Foreground where the probability reaches the threshold. */
static int load_probability(struct job *job, struct image_values *values, const char *path,
                            struct err *err)
{
    struct picture *p = &job->picture;
    float limit = settings.threshold > 0 ? settings.threshold : 0.5f;
    if (image_values_check_shares(values, path, err) || make_labels(job, err) ||
        !(p->foreground = make_part(job, CANVAS_FOREGROUND, 1, err)))
        return -1;
    for (size_t y = 0, at = 0; y < job->height; y++) {
        if (image_values_row(values, p->foreground + at, err))
            return -1;
        for (size_t x = 0; x < job->width; x++, at++)
            p->prediction[at] = p->foreground[at] >= limit;
    }
    return 0;
}

/* An image of three channels, as stitch --logits writes it. */
static int load_flows(struct job *job, struct image_values *values, const char *path,
                      struct err *err)
{
    struct picture *p = &job->picture;
    size_t w = job->width, plane = job->height * w;
    if (values->info->channels != 3 || values->info->bits != 32 || values->info->is_label)
        return err_set(err, STATUS_DATA, "read '%s': flows are three channels of floating point",
                       path);
    if (make_labels(job, err) || !(p->values = make_part(job, CANVAS_VALUES, 3, err)))
        return -1;
    float *row = malloc(3 * w * sizeof *row);
    int rc = row ? 0 : err_memory(err, "a row");
    for (size_t y = 0; rc == 0 && y < job->height; y++) {
        rc = image_values_row(values, row, err);
        for (size_t i = 0; rc == 0 && i < 3 * w; i++)
            p->values[i % 3 * plane + y * w + i / 3] = row[i];
    }
    free(row);
    return rc;
}

static int load_values(struct job *job, const char *path, struct err *err)
{
    struct image_values values;
    int rc = image_values_open(&values, path, 3, IMAGE_AS_SHARE, err);
    if (rc == 0) {
        job->height = (size_t)values.info->height;
        job->width = (size_t)values.info->width;
        job->pixel_height = values.info->pixel_height;
        job->pixel_width = values.info->pixel_width;
        rc = (is_flows() ? load_flows : load_probability)(job, &values, path, err);
    }
    image_values_close(&values);
    return rc;
}

static void label_image(const char *path, bool alone)
{
    struct job job = {.name = path};
    struct err err;
    bool mask = !is_flows() && !settings.probability;
    int rc = mask ? load_mask(&job, path, &err) : load_values(&job, path, &err);
    if (rc || finish(&job, &err)) {
        if (alone || err.status == STATUS_MEMORY || err.status == STATUS_IO)
            cli_die_err(&err);
        cli_warn_err(&err);
        some_failed = true;
    }
    job_free(&job);
}

static void label_images(char **paths, int count)
{
    for (int i = 0; i < count; i++) {
        label_image(paths[i], count == 1);
        cli_progress("images", (uint64_t)i + 1, (uint64_t)count);
    }
}

/* ---- streams ---- */

static int label_assembled(void *user, struct assembled *image, struct err *err)
{
    struct job job = {.name = image->name,
                      .height = image->height,
                      .width = image->width,
                      .pixel_height = image->pixel_height,
                      .pixel_width = image->pixel_width,
                      .picture = image->picture};
    (void)user;
    image->picture = (struct picture){0};
    int rc = is_flows() ? make_labels(&job, err) : 0;
    if (rc == 0)
        rc = finish(&job, err);
    job_free(&job);
    return rc;
}

static int place_tile(const struct sample *sample, struct assembly_tile *tile,
                      struct tile_meta *meta, struct err *err)
{
    struct canvas_tile *t = &tile->tile;
    t->values = sample_require(sample, is_flows() ? "logits" : "prob", err);
    int known = t->values ? sample_get_meta(sample, meta, err) : -1;
    if (known < 0)
        return -1;
    if (is_flows() && t->values->shape[0] != 3)
        return err_set(err, STATUS_DATA, "flows need logits of three planes, not %zu",
                       t->values->shape[0]);
    t->uncertainty = is_flows() ? NULL : sample_array(sample, "uncertainty");
    t->image = table && !settings.image ? sample_array(sample, "image") : NULL;
    tile->alone = known == 1 || !meta->source[0] || meta->source_width <= 0;
    tile->name = tile->alone ? sample->key : meta->source;
    tile->image_width = tile->alone ? 0 : (size_t)meta->source_width;
    tile->image_height = tile->alone ? 0 : (size_t)meta->source_height;
    tile->pixel_width = meta->pixel_width;
    tile->pixel_height = meta->pixel_height;
    t->height = tile->alone ? t->values->shape[1] : (size_t)meta->height;
    t->width = tile->alone ? t->values->shape[2] : (size_t)meta->width;
    t->x = tile->alone ? 0 : meta->x;
    t->y = tile->alone ? 0 : meta->y;
    return 0;
}

static int add_sample(void *user, const struct sample *sample, struct err *err)
{
    static uint64_t samples;
    struct tile_meta meta = {.source = ""};
    struct assembly_tile tile = {0};
    if (place_tile(sample, &tile, &meta, err) || assembly_add(user, &tile, err))
        return -1;
    cli_progress("samples", ++samples, 0);
    return 0;
}

static unsigned parts_wanted(void)
{
    unsigned parts = is_flows() ? 1u << CANVAS_VALUES : 1u << CANVAS_PREDICTION;
    if (!is_flows() && (table || settings.probability_map))
        parts |= 1u << CANVAS_FOREGROUND;
    if (table)
        parts |= 1u << CANVAS_DOUBT | 1u << CANVAS_IMAGE;
    return parts;
}

static void label_stream(const char *path)
{
    static struct assembly assembly;
    struct err err;
    assembly = (struct assembly){.wanted = parts_wanted(),
                                 .threshold = settings.threshold,
                                 .only_one = settings.output && !output.is_folder,
                                 .take = label_assembled};
    int rc = stream_walk(path, add_sample, &assembly, &err);
    if (rc == 0)
        rc = assembly_finish(&assembly, &err);
    assembly_free(&assembly);
    if (rc)
        cli_die_err(&err);
}

/* ---- options ---- */

static void read_method_option(int option)
{
    struct cell_rules *rules = &settings.rules;
    switch (option) {
    case OPT_METHOD:
        rules->method = (enum cell_method)cli_choice(CELL_METHOD_WORDS);
        break;
    case OPT_CONNECTIVITY:
        rules->connectivity = cli_choice("4|8") ? 8 : 4;
        break;
    case OPT_MAP:
        settings.probability_map = cli_choice("distance|probability") == 1;
        break;
    case OPT_DEPTH:
        rules->depth = cli_real(0, 1);
        break;
    case OPT_CELL_THRESHOLD:
        rules->flow.cell_threshold = cli_real(-1000, 1000);
        break;
    case OPT_FLOW_THRESHOLD:
        rules->flow.flow_threshold = cli_real(0, 1000);
        break;
    case OPT_STEPS:
        rules->flow.steps = (int)cli_int(1, 100000);
        break;
    case OPT_MAX_SHARE:
        rules->flow.max_share = cli_real(0, 1);
        break;
    case OPT_SMOOTH:
        rules->smooth = (int)cli_int(0, 15);
        break;
    case OPT_FILL:
        rules->fill = true;
        break;
    case OPT_MAX_HOLE:
        rules->fill = true;
        rules->max_hole = (uint64_t)cli_int(1, INT64_MAX);
        break;
    case OPT_MIN_SIZE:
        settings.min_size = cli_int(0, INT64_MAX);
        break;
    case OPT_CLEAR_BORDER:
        rules->clear_border = true;
        break;
    }
}

static void read_option(int option)
{
    switch (option) {
    case OPT_OUTPUT:
        settings.output = cli_argument();
        break;
    case OPT_FORMAT:
        settings.format = cli_choice("png|tiff") ? IMAGE_TIFF : IMAGE_PNG;
        break;
    case OPT_SUFFIX:
        settings.suffix = cli_argument();
        break;
    case OPT_TABLE:
        settings.table = cli_argument();
        break;
    case OPT_IMAGE:
        settings.image = cli_argument();
        break;
    case OPT_PROBABILITY:
        settings.probability = true;
        break;
    case OPT_THRESHOLD:
        settings.threshold = (float)cli_real(0.0001, 1);
        break;
    case OPT_PIXEL_SIZE:
        cli_pixel_size(&settings.pixel_height, &settings.pixel_width);
        break;
    case OPT_ROIS:
    case OPT_GEOJSON:
    case OPT_COCO:
    case OPT_COCO_RLE:
    case OPT_SVG:
        settings.exports[option - OPT_ROIS] = cli_argument();
        break;
    default:
        read_method_option(option);
    }
}

static void complete_settings(void)
{
    struct cell_rules *rules = &settings.rules;
    bool flows = is_flows(), exported = false;
    rules->fill |= flows;
    rules->renumber = rules->method != CELLS_KEEP;
    rules->min_size = settings.min_size >= 0 ? (uint64_t)settings.min_size : flows ? 15 : 0;
    for (size_t i = 0; i < EXPORTS; i++)
        exported |= settings.exports[i] != NULL;
    if (!settings.output && !settings.table && !exported)
        settings.output = "-";
    if (flows && settings.probability)
        cli_die_usage("--probability and --method flows cannot be combined");
    if (settings.probability_map && rules->method != CELLS_WATERSHED)
        cli_die_usage("--map goes with --method watershed");
    if (settings.image && !settings.table)
        cli_die_usage("--image goes with --table");
}

static void prepare_output(int inputs)
{
    struct err err;
    if (!settings.output)
        return;
    if (destination_set(&output, settings.output, settings.suffix, &err))
        cli_die_err(&err);
    if (!output.is_folder && image_check_name(output.path, &err))
        cli_die_err(&err);
    if (inputs > 1 && !output.is_folder)
        cli_die_usage("several images need a folder, -o DIR/");
    if (!destination_is_stdout(&output))
        return;
    cli_refuse_terminal("a label image");
    if (settings.table && strcmp(settings.table, "-") == 0)
        cli_die_usage("the label image and the table cannot both go to standard output");
}

static void prepare_exports(int inputs)
{
    static const enum annot_format formats[EXPORTS] = {ANNOT_ROI_ZIP, ANNOT_GEOJSON, ANNOT_COCO,
                                                       ANNOT_COCO_RLE, ANNOT_SVG};
    struct err err;
    for (size_t i = 0; i < EXPORTS; i++)
        if (settings.exports[i] && annot_export_begin(&exports[i], formats[i], settings.exports[i],
                                                      settings.suffix, inputs > 1, &err))
            cli_die_err(&err);
}

static void prepare_table(void)
{
    struct err err;
    settings.image_is_folder = settings.image && path_is_folder(settings.image);
    if (settings.image_is_folder && folder_list(&images, settings.image, "", &err))
        cli_die_err(&err);
    if (settings.table && cell_table_open(&table, settings.table, &err))
        cli_die_err(&err);
}

static void commit(void)
{
    struct err err;
    if (table && cell_table_commit(table, &err))
        cli_die_err(&err);
    for (size_t i = 0; i < EXPORTS; i++)
        if (annot_export_commit(&exports[i], &err))
            cli_die_err(&err);
}

int main(int argc, char **argv)
{
    cli_start(&program, argc, argv);
    for (int option; (option = cli_next_option()) != -1;)
        read_option(option);
    int count = cli_operand_count();
    char **operands = cli_operands();
    complete_settings();
    prepare_output(count);
    prepare_exports(count);
    prepare_table();
    const char *dot = count == 1 ? strrchr(operands[0], '.') : NULL;
    if (count == 0 || strcmp(operands[0], "-") == 0 || (dot && strcmp(dot, ".tar") == 0))
        label_stream(count ? operands[0] : "-");
    else
        label_images(operands, count);
    commit();
    folder_free(&images);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
