/* label: masks, probabilities or flows to numbered cells and a table of them. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "annot/annot.h"
#include "cli/cli.h"
#include "core/num.h"
#include "core/outfile.h"
#include "core/spill.h"
#include "image/folder.h"
#include "image/labels.h"
#include "ops/canvas.h"
#include "ops/cells.h"
#include "ops/morphology.h"
#include "ops/regions.h"
#include "stream/stream.h"

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

static struct {
    struct cell_rules rules;
    bool probability, probability_map, output_is_folder, image_is_folder;
    int64_t min_size; /* -1: the method's */
    float threshold;  /* 0: the most probable class */
    int format;       /* -1: by the name */
    const char *output, *suffix, *table, *image;
    double pixel_height, pixel_width; /* given by the user */
} settings = {
    .rules = {.connectivity = 8, .depth = 0.15, .flow = FLOW_RULES_DEFAULT, .renumber = true},
    .min_size = -1,
    .format = -1,
    .suffix = "",
};

static struct outfile *table;
static int table_channels = -1; /* of the intensities; -1: no header yet */
static struct folder images;
static bool some_failed;

/* One image and what is known of it. */
struct job {
    char name[1100];
    size_t height, width;
    double pixel_height, pixel_width; /* micrometres, 0 when unknown */
    struct spill labels;              /* height x width uint32: classes, then cells */
    struct spill classes;             /* a copy of the classes when there are several */
    float *probability, *uncertainty; /* NULL when unknown */
    float *flows;                     /* 3 x height x width: vertical, horizontal, cell */
    float *intensity;
    int channels;
    uint32_t count;
};

static void job_free(struct job *job)
{
    spill_free(&job->labels);
    spill_free(&job->classes);
    free(job->probability);
    free(job->uncertainty);
    free(job->flows);
    free(job->intensity);
    *job = (struct job){0};
}

static int make_labels(struct job *job, struct err *err)
{
    size_t shape[] = {job->height, job->width}, bytes;
    if (array_check_bytes(DTYPE_U32, 2, shape, &bytes, err))
        return -1;
    return spill_new(&job->labels, bytes, err);
}

/* ---- the table ---- */

/* A column of the table: its name, its value, and how it scales with a pixel's side. */
enum unit { UNIT_NONE, UNIT_LENGTH, UNIT_AREA, UNIT_X, UNIT_Y };

struct column {
    const char *name;
    double value;
    enum unit unit;
};

#define MAX_TABLE_COLUMNS 32

static int list_columns(const struct region *r, struct column *to)
{
    const struct column columns[] = {
        {"x", r->x, UNIT_X},
        {"y", r->y, UNIT_Y},
        {"left", (double)r->box.left, UNIT_NONE},
        {"top", (double)r->box.top, UNIT_NONE},
        {"width", (double)(r->box.right - r->box.left), UNIT_NONE},
        {"height", (double)(r->box.bottom - r->box.top), UNIT_NONE},
        {"area", (double)r->box.area, UNIT_AREA},
        {"perimeter", r->perimeter, UNIT_LENGTH},
        {"equivalent_diameter", r->equivalent_diameter, UNIT_LENGTH},
        {"major_axis", r->major_axis, UNIT_LENGTH},
        {"minor_axis", r->minor_axis, UNIT_LENGTH},
        {"eccentricity", r->eccentricity, UNIT_NONE},
        {"orientation", r->orientation, UNIT_NONE},
        {"solidity", r->solidity, UNIT_NONE},
        {"circularity", r->circularity, UNIT_NONE},
        {"feret_max", r->feret_max, UNIT_LENGTH},
        {"feret_min", r->feret_min, UNIT_LENGTH},
        {"skeleton_length", r->skeleton_length, UNIT_LENGTH},
        {"branch_ends", r->branch_ends, UNIT_NONE},
        {"branch_points", r->branch_points, UNIT_NONE},
        {"mean_probability", r->mean_probability, UNIT_NONE},
        {"mean_uncertainty", r->mean_uncertainty, UNIT_NONE},
    };
    memcpy(to, columns, sizeof columns);
    return (int)(sizeof columns / sizeof *columns);
}

/* Lengths in micrometres need square pixels, to within 1 %. */
static double physical(const struct column *column, double height, double width)
{
    bool known = height > 0 && width > 0, square = known && fabs(height - width) < 0.01 * height;
    switch (column->unit) {
    case UNIT_X:
        return known ? column->value * width : NAN;
    case UNIT_Y:
        return known ? column->value * height : NAN;
    case UNIT_AREA:
        return known ? column->value * height * width : NAN;
    case UNIT_LENGTH:
        return square ? column->value * sqrt(height * width) : NAN;
    default:
        return NAN;
    }
}

static struct {
    char bytes[1 << 16];
    size_t count;
} pending;

static int flush_table(struct err *err)
{
    size_t count = pending.count;
    pending.count = 0;
    return count ? outfile_write(table, pending.bytes, count, err) : 0;
}

static int write_table(const char *text, struct err *err)
{
    size_t length = strlen(text);
    if (pending.count + length > sizeof pending.bytes && flush_table(err))
        return -1;
    memcpy(pending.bytes + pending.count, text, length);
    pending.count += length;
    return 0;
}

static int write_number(double value, struct err *err)
{
    char text[40];
    snprintf(text, sizeof text, isnan(value) ? "\tnan" : "\t%.8g", value);
    return write_table(text, err);
}

static int write_header(const struct job *job, struct err *err)
{
    struct region nothing = {0};
    struct column columns[MAX_TABLE_COLUMNS];
    int count = list_columns(&nothing, columns);
    char text[64];
    table_channels = job->channels > 1 ? job->channels : 1;
    int rc = write_table("image\tid\tclass", err);
    for (int i = 0; rc == 0 && i < count; i++) {
        snprintf(text, sizeof text, "\t%s", columns[i].name);
        rc = write_table(text, err);
    }
    for (int c = 0; rc == 0 && c < table_channels; c++) {
        char number[12] = "";
        if (table_channels > 1)
            snprintf(number, sizeof number, "%d", c + 1);
        snprintf(text, sizeof text, "\tmean_intensity%s\tsd_intensity%s", number, number);
        rc = write_table(text, err);
    }
    for (int i = 0; rc == 0 && i < count; i++) {
        snprintf(text, sizeof text, "\t%s_um%s", columns[i].name,
                 columns[i].unit == UNIT_AREA ? "2" : "");
        rc = columns[i].unit == UNIT_NONE ? 0 : write_table(text, err);
    }
    return rc ? -1 : write_table("\n", err);
}

static uint32_t class_of(const struct job *job, const struct box *box)
{
    const uint32_t *labels = job->labels.data, *classes = job->classes.data;
    size_t at = box->top * job->width + box->left;
    while (labels[at] != box->label)
        at++;
    return classes ? classes[at] : 1;
}

static int write_row(const struct job *job, const struct region *r, struct err *err)
{
    struct column columns[MAX_TABLE_COLUMNS];
    int count = list_columns(r, columns);
    char text[1100];
    snprintf(text, sizeof text, "%s", job->name);
    for (char *p = text; *p; p++)
        *p = (unsigned char)*p < 0x20 ? '?' : *p;
    int rc = write_table(text, err);
    snprintf(text, sizeof text, "\t%u\t%u", r->box.label, class_of(job, &r->box));
    if (rc == 0)
        rc = write_table(text, err);
    for (int i = 0; rc == 0 && i < count; i++)
        rc = write_number(columns[i].value, err);
    for (int c = 0; rc == 0 && c < table_channels; c++) {
        rc = write_number(c < r->channels ? r->mean[c] : NAN, err);
        if (rc == 0)
            rc = write_number(c < r->channels ? r->sd[c] : NAN, err);
    }
    for (int i = 0; rc == 0 && i < count; i++)
        if (columns[i].unit != UNIT_NONE)
            rc = write_number(physical(&columns[i], job->pixel_height, job->pixel_width), err);
    return rc ? -1 : write_table("\n", err);
}

static int tabulate(const struct job *job, struct err *err)
{
    struct region_images under = {job->intensity, job->channels, job->probability,
                                  job->uncertainty};
    struct region_room room = {0};
    struct boxes boxes;
    struct region region;
    if (boxes_of(&boxes, job->labels.data, job->height, job->width, err))
        return -1;
    int rc = table_channels < 0 ? write_header(job, err) : 0;
    for (size_t i = 0; rc == 0 && i < boxes.count; i++) {
        rc = region_measure(&region, &boxes.items[i], job->labels.data, job->width, &under, &room,
                            err);
        if (rc == 0)
            rc = write_row(job, &region, err);
    }
    region_room_free(&room);
    boxes_free(&boxes);
    return rc;
}

/* ---- intensities ---- */

static void stem_of(const char *path, char *stem, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(stem, size, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(stem, '.');
    if (dot && dot > stem)
        *dot = '\0';
}

static double sample_at(const struct image_info *info, const void *pixels, size_t i)
{
    if (info->bits == 8)
        return ((const uint8_t *)pixels)[i];
    if (info->bits == 16)
        return ((const uint16_t *)pixels)[i];
    return info->is_label ? ((const uint32_t *)pixels)[i] : (double)((const float *)pixels)[i];
}

static int take_intensity(struct job *job, const struct image_info *info, const void *pixels,
                          struct err *err)
{
    size_t count = job->height * job->width, stride = (size_t)info->channels;
    int alpha = info->channels == 2 || info->channels == 4;
    int channels = info->channels - alpha;
    job->channels = channels < REGION_MAX_CHANNELS ? channels : REGION_MAX_CHANNELS;
    size_t kept = (size_t)job->channels;
    job->intensity = malloc(count * kept * sizeof *job->intensity + 1);
    if (!job->intensity)
        return err_memory(err, "an image");
    const uint8_t *bytes = pixels;
    for (size_t i = 0; i < count && stride == 1 && info->bits == 8; i++)
        job->intensity[i] = bytes[i];
    for (size_t i = 0; i < count && (stride > 1 || info->bits > 8); i++)
        for (size_t c = 0; c < kept; c++)
            job->intensity[i * kept + c] = (float)sample_at(info, pixels, i * stride + c);
    if (!(job->pixel_height > 0)) {
        job->pixel_height = info->pixel_height;
        job->pixel_width = info->pixel_width;
    }
    return 0;
}

static int load_intensity(struct job *job, struct err *err)
{
    const char *path = settings.image;
    struct image_info info;
    char stem[1024];
    void *pixels;
    if (!path || !table)
        return 0;
    if (settings.image_is_folder) {
        stem_of(job->name, stem, sizeof stem);
        const struct folder_file *file = folder_find(&images, stem);
        if (!file)
            return err_set(err, STATUS_NO_INPUT, "match '%s': '%s' has no image of that stem",
                           job->name, settings.image);
        path = file->path;
    }
    if (image_load(path, &info, &pixels, err))
        return -1;
    int rc = (size_t)info.height != job->height || (size_t)info.width != job->width
                 ? err_set(err, STATUS_DATA,
                           "read '%s': %" PRId64 " x %" PRId64 " pixels, but '%s' has %zu x %zu",
                           path, info.width, info.height, job->name, job->width, job->height)
                 : take_intensity(job, &info, pixels, err);
    free(pixels);
    return rc;
}

/* ---- label images ---- */

static void output_path(const struct job *job, uint32_t max, char *path, size_t size)
{
    char stem[1024];
    if (!settings.output_is_folder) {
        snprintf(path, size, "%s", settings.output);
        return;
    }
    bool tiff = settings.format == IMAGE_TIFF || (settings.format < 0 || max > UINT16_MAX);
    stem_of(job->name, stem, sizeof stem);
    snprintf(path, size, "%s/%s%s.%s", settings.output, stem, settings.suffix,
             tiff ? "tif" : "png");
}

static enum image_format format_of(const char *path, uint32_t max)
{
    if (strcmp(path, "-") != 0)
        return image_format_of_name(path);
    return settings.format == IMAGE_PNG && max <= UINT16_MAX ? IMAGE_PNG : IMAGE_TIFF;
}

static int write_rows(struct image_writer *writer, const struct job *job,
                      const struct image_info *info, struct err *err)
{
    const uint32_t *labels = job->labels.data;
    void *row = malloc(image_row_bytes(info));
    if (!row)
        return err_memory(err, "a row");
    int rc = 0;
    for (size_t y = 0; rc == 0 && y < job->height; y++) {
        image_pack_labels(info, labels + y * job->width, job->width, row);
        rc = image_write_rows(writer, 1, row, err);
    }
    free(row);
    return rc;
}

static int write_labels(const struct job *job, struct err *err)
{
    uint32_t max = labels_max(job->labels.data, job->height * job->width);
    struct image_info info = image_label_info((int64_t)job->width, (int64_t)job->height, max, 16);
    struct image_writer *writer;
    char path[4096];
    info.pixel_height = job->pixel_height;
    info.pixel_width = job->pixel_width;
    output_path(job, max, path, sizeof path);
    enum image_format format = format_of(path, max);
    if (format == IMAGE_PNG && info.bits == 32)
        return err_set(err, STATUS_USAGE, "write '%s': %u cells are too many for PNG, use TIFF",
                       path, max);
    if (image_create(&writer, path, format, IMAGE_DEFAULT_COMPRESSION, &info, err))
        return -1;
    if (write_rows(writer, job, &info, err)) {
        image_abort(writer);
        return -1;
    }
    return image_commit(writer, err);
}

/* ---- exports ---- */

static struct export
{
    enum annot_format format;
    const char *ending;
    const char *path; /* NULL when not asked for */
    bool several;     /* one file holds all images */
    struct annot_writer *writer;
}
exports[] = {
    {.format = ANNOT_ROI_ZIP, .ending = "zip"},
    {.format = ANNOT_GEOJSON, .ending = "geojson"},
    {.format = ANNOT_COCO, .ending = "json", .several = true},
    {.format = ANNOT_COCO_RLE, .ending = "json", .several = true},
    {.format = ANNOT_SVG, .ending = "svg"},
};

#define EXPORT_COUNT (sizeof exports / sizeof *exports)

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int open_export(struct export *e, const struct job *job, struct err *err)
{
    char path[4096], stem[1100];
    if (e->writer)
        return 0;
    stem_of(job->name, stem, sizeof stem);
    if (is_folder(e->path))
        snprintf(path, sizeof path, "%s/%s%s.%s", e->path, stem, settings.suffix, e->ending);
    else
        snprintf(path, sizeof path, "%s", e->path);
    return annot_create(&e->writer, path, e->format, err);
}

static int close_export(struct export *e, struct err *err)
{
    struct annot_writer *writer = e->writer;
    e->writer = NULL;
    return writer ? annot_commit(writer, err) : 0;
}

static int export_to(struct export *e, const struct job *job, struct err *err)
{
    const char *slash = strrchr(job->name, '/');
    struct annot_image image = {slash ? slash + 1 : job->name, (int64_t)job->width,
                                (int64_t)job->height};
    struct array labels =
        array_view(DTYPE_U32, 2, (size_t[]){job->height, job->width}, job->labels.data);
    if (open_export(e, job, err))
        return -1;
    if (annot_put(e->writer, &image, &labels, NULL, err)) {
        annot_abort(e->writer);
        e->writer = NULL;
        return -1;
    }
    return e->several ? 0 : close_export(e, err);
}

static int export_all(const struct job *job, struct err *err)
{
    for (size_t i = 0; i < EXPORT_COUNT; i++)
        if (exports[i].path && export_to(&exports[i], job, err))
            return -1;
    return 0;
}

static void prepare_exports(int inputs)
{
    for (size_t i = 0; i < EXPORT_COUNT; i++) {
        struct export *e = &exports[i];
        size_t length = e->path ? strlen(e->path) : 0;
        if (!e->path || e->several)
            continue;
        if (length && e->path[length - 1] == '/' && !is_folder(e->path) && mkdir(e->path, 0777))
            cli_die(STATUS_CREATE, "create '%s': %s", e->path, strerror(errno));
        if (inputs > 1 && !is_folder(e->path))
            cli_die_usage("several images need a folder for '%s'", e->path);
    }
}

/* ---- a job from beginning to end ---- */

static int copy_classes(struct job *job, struct err *err)
{
    const uint32_t *labels = job->labels.data;
    size_t count = job->height * job->width;
    uint32_t first = 0;
    bool several = false;
    if (!table || settings.rules.method == CELLS_FLOWS || settings.rules.method == CELLS_KEEP)
        return 0;
    for (size_t i = 0; i < count && !several; i++) {
        first = first ? first : labels[i];
        several = labels[i] && labels[i] != first;
    }
    if (!several)
        return 0;
    if (spill_new(&job->classes, count * sizeof *labels, err))
        return -1;
    memcpy(job->classes.data, labels, count * sizeof *labels);
    return 0;
}

static int finish(struct job *job, struct err *err)
{
    size_t plane = job->height * job->width;
    const float *map = settings.probability_map ? job->probability : NULL;
    if (settings.probability_map && !map)
        return err_set(err, STATUS_DATA, "label '%s': there are no probabilities of two classes",
                       job->name);
    if (settings.pixel_height > 0) {
        job->pixel_height = settings.pixel_height;
        job->pixel_width = settings.pixel_width;
    }
    if (copy_classes(job, err) ||
        cells_find(job->labels.data, job->height, job->width, &settings.rules, map, job->flows,
                   job->flows ? job->flows + 2 * plane : NULL, &job->count, err) ||
        load_intensity(job, err))
        return -1;
    if (table && tabulate(job, err))
        return -1;
    if (settings.output && write_labels(job, err))
        return -1;
    return export_all(job, err);
}

/* ---- images ---- */

static int load_mask(struct job *job, struct image_reader *reader, const char *path,
                     struct err *err)
{
    const struct image_info *info = image_info(reader);
    if (image_check_labels(path, info, err) || make_labels(job, err))
        return -1;
    return image_read_labels32(reader, path, info->height, job->labels.data, err);
}

/* Foreground where the probability reaches the threshold. */
static int threshold(struct job *job, struct err *err)
{
    float limit = settings.threshold > 0 ? settings.threshold : 0.5f;
    if (make_labels(job, err))
        return -1;
    uint32_t *labels = job->labels.data;
    for (size_t i = 0; i < job->height * job->width; i++)
        labels[i] = job->probability[i] >= limit;
    return 0;
}

/* An image of three channels, as stitch --logits writes it. */
static int load_flows(struct job *job, const char *path, struct err *err)
{
    struct image_info info;
    void *pixels;
    if (image_load(path, &info, &pixels, err))
        return -1;
    int rc = 0;
    size_t plane = job->height * job->width;
    if (info.channels != 3 || info.bits != 32 || info.is_label)
        rc = err_set(err, STATUS_DATA, "read '%s': flows are three channels of floating point",
                     path);
    else if (!(job->flows = malloc(3 * plane * sizeof(float) + 1)))
        rc = err_memory(err, "flows");
    for (size_t i = 0; rc == 0 && i < 3 * plane; i++)
        job->flows[i % 3 * plane + i / 3] = ((const float *)pixels)[i];
    free(pixels);
    return rc ? -1 : make_labels(job, err);
}

static int load_image(struct job *job, const char *path, struct err *err)
{
    struct image_reader *reader;
    struct image_info info;
    if (image_open_labels(&reader, path, err))
        return -1;
    info = *image_info(reader);
    job->height = (size_t)info.height;
    job->width = (size_t)info.width;
    job->pixel_height = info.pixel_height;
    job->pixel_width = info.pixel_width;
    bool plain = settings.rules.method != CELLS_FLOWS && !settings.probability;
    int rc = plain ? load_mask(job, reader, path, err) : 0;
    image_close(reader);
    if (plain || rc)
        return rc;
    if (settings.rules.method == CELLS_FLOWS)
        return load_flows(job, path, err);
    return image_load_floats(path, &info, &job->probability, err) ? -1 : threshold(job, err);
}

static void label_image(const char *path, bool alone)
{
    struct job job = {.height = 0};
    struct err err;
    snprintf(job.name, sizeof job.name, "%s", path);
    if (load_image(&job, path, &err) || finish(&job, &err)) {
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

/* The image whose tiles are coming in. */
struct assembly {
    bool open;
    char name[1100];
    struct tile_meta meta;
    struct canvas canvas;
    uint64_t images;
};

static int take_picture(struct job *job, const struct canvas *canvas, struct err *err)
{
    struct picture picture;
    if (canvas_finish(canvas, settings.threshold, &picture, err))
        return -1;
    int rc = make_labels(job, err);
    if (rc == 0)
        memcpy(job->labels.data, picture.prediction,
               job->height * job->width * sizeof *picture.prediction);
    job->probability = picture.foreground;
    job->uncertainty = picture.uncertainty;
    picture.foreground = picture.uncertainty = NULL;
    picture_free(&picture);
    return rc;
}

static int finish_image(struct assembly *a, struct err *err)
{
    struct job job = {.height = a->canvas.height, .width = a->canvas.width};
    if (!a->open)
        return 0;
    a->open = false;
    snprintf(job.name, sizeof job.name, "%s", a->name);
    job.pixel_height = a->meta.pixel_height;
    job.pixel_width = a->meta.pixel_width;
    int rc;
    if (settings.rules.method == CELLS_FLOWS)
        rc = canvas_values(&a->canvas, &job.flows, err) || make_labels(&job, err) ? -1 : 0;
    else
        rc = take_picture(&job, &a->canvas, err);
    canvas_free(&a->canvas);
    if (rc == 0)
        rc = finish(&job, err);
    job_free(&job);
    return rc;
}

static int begin_image(struct assembly *a, const char *name, const struct tile_meta *meta,
                       const struct array *planes, bool has_uncertainty, struct err *err)
{
    bool flows = settings.rules.method == CELLS_FLOWS;
    if (flows && planes->shape[0] != 3)
        return err_set(err, STATUS_DATA, "flows need logits of three planes, not %zu",
                       planes->shape[0]);
    if (settings.output && !settings.output_is_folder && a->images > 0)
        return err_set(err, STATUS_USAGE, "several images need a folder, -o DIR/");
    snprintf(a->name, sizeof a->name, "%s", name);
    a->meta = *meta;
    a->images++;
    size_t height = meta->source_height > 0 ? (size_t)meta->source_height : planes->shape[1];
    size_t width = meta->source_width > 0 ? (size_t)meta->source_width : planes->shape[2];
    if (canvas_new(&a->canvas, width, height, planes->shape[0], has_uncertainty, err))
        return -1;
    a->open = true;
    return 0;
}

static int add_tile(struct assembly *a, const struct sample *sample, struct err *err)
{
    bool flows = settings.rules.method == CELLS_FLOWS;
    struct tile_meta meta = {.source = ""};
    const struct array *planes = sample_require(sample, flows ? "logits" : "prob", err);
    const struct array *uncertainty = flows ? NULL : sample_array(sample, "uncertainty");
    int known = planes ? sample_get_meta(sample, &meta, err) : -1;
    if (known < 0)
        return -1;
    bool alone = known == 1 || !meta.source[0] || meta.source_width <= 0;
    if (alone)
        meta.source_width = meta.source_height = 0;
    const char *name = alone ? sample->key : meta.source;
    if (a->open && (alone || strcmp(name, a->name) != 0) && finish_image(a, err))
        return -1;
    if (!a->open && begin_image(a, name, &meta, planes, uncertainty != NULL, err))
        return -1;
    size_t height = alone ? planes->shape[1] : (size_t)meta.height;
    size_t width = alone ? planes->shape[2] : (size_t)meta.width;
    if (height == 0 || width == 0)
        return err_set(err, STATUS_DATA, "a tile without pixels");
    return canvas_add_resized(&a->canvas, planes, uncertainty, alone ? 0 : meta.x,
                              alone ? 0 : meta.y, height, width, err);
}

static void label_stream(const char *path)
{
    static struct assembly assembly;
    struct stream_reader *reader;
    struct sample sample;
    struct err err;
    uint64_t count = 0;
    int result;
    if (stream_open(&reader, path, &err))
        cli_die_err(&err);
    while ((result = stream_next(reader, &sample, &err)) > 0) {
        if (add_tile(&assembly, &sample, &err)) {
            err_prefix(&err, "label '%s'", sample.key);
            cli_die_err(&err);
        }
        sample_free(&sample);
        cli_progress("samples", ++count, 0);
    }
    if (result < 0 || finish_image(&assembly, &err))
        cli_die_err(&err);
    stream_close(reader);
}

/* ---- options ---- */

static void read_pixel_size(void)
{
    const char *comma = strchr(cli_argument(), ',');
    char first[64];
    struct err err;
    int length = comma ? (int)(comma - cli_argument()) : (int)strlen(cli_argument());
    snprintf(first, sizeof first, "%.*s", length, cli_argument());
    if (num_real(first, 1e-9, 1e9, &settings.pixel_height, &err) ||
        num_real(comma ? comma + 1 : first, 1e-9, 1e9, &settings.pixel_width, &err))
        cli_die_usage("option '--pixel-size': %s", err.message);
}

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
        read_pixel_size();
        break;
    case OPT_ROIS:
    case OPT_GEOJSON:
    case OPT_COCO:
    case OPT_COCO_RLE:
    case OPT_SVG:
        exports[option - OPT_ROIS].path = cli_argument();
        break;
    default:
        read_method_option(option);
    }
}

static void complete_settings(void)
{
    struct cell_rules *rules = &settings.rules;
    bool flows = rules->method == CELLS_FLOWS;
    rules->fill |= flows;
    rules->renumber = rules->method != CELLS_KEEP;
    rules->min_size = settings.min_size >= 0 ? (uint64_t)settings.min_size : flows ? 15 : 0;
    bool exported = false;
    for (size_t i = 0; i < EXPORT_COUNT; i++)
        exported |= exports[i].path != NULL;
    if (!settings.output && !settings.table && !exported)
        settings.output = "-";
    if (flows && settings.probability)
        cli_die_usage("--probability and --method flows cannot be combined");
    if (settings.probability_map && rules->method != CELLS_WATERSHED)
        cli_die_usage("--map goes with --method watershed");
    if (settings.image && !settings.table)
        cli_die_usage("--image goes with --table");
}

/* A folder is one that exists or whose name ends in a slash. */
static void prepare_output(int inputs)
{
    const char *output = settings.output;
    size_t length = output ? strlen(output) : 0;
    struct err err;
    if (!output)
        return;
    settings.output_is_folder = is_folder(output) || (length > 0 && output[length - 1] == '/');
    if (settings.output_is_folder && !is_folder(output) && mkdir(output, 0777)) {
        err_errno(&err, STATUS_CREATE, "create '%s'", output);
        cli_die_err(&err);
    }
    if (inputs > 1 && !settings.output_is_folder)
        cli_die_usage("several images need a folder, -o DIR/");
    if (strcmp(output, "-") == 0)
        cli_refuse_terminal("a label image");
    if (settings.table && strcmp(output, "-") == 0 && strcmp(settings.table, "-") == 0)
        cli_die_usage("the label image and the table cannot both go to standard output");
}

static void prepare_images(void)
{
    struct err err;
    settings.image_is_folder = settings.image && is_folder(settings.image);
    if (settings.image_is_folder && folder_list(&images, settings.image, "", &err))
        cli_die_err(&err);
}

int main(int argc, char **argv)
{
    struct err err;
    cli_start(&program, argc, argv);
    for (int option; (option = cli_next_option()) != -1;)
        read_option(option);
    int count = cli_operand_count();
    char **operands = cli_operands();
    complete_settings();
    prepare_output(count);
    prepare_exports(count);
    prepare_images();
    if (settings.table && outfile_open(&table, settings.table, &err))
        cli_die_err(&err);
    const char *dot = count == 1 ? strrchr(operands[0], '.') : NULL;
    if (count == 0 || strcmp(operands[0], "-") == 0 || (dot && strcmp(dot, ".tar") == 0))
        label_stream(count ? operands[0] : "-");
    else
        label_images(operands, count);
    if (table && (flush_table(&err) || outfile_commit(table, &err)))
        cli_die_err(&err);
    for (size_t i = 0; i < EXPORT_COUNT; i++)
        if (close_export(&exports[i], &err))
            cli_die_err(&err);
    folder_free(&images);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
