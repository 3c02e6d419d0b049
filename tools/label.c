/* label: masks, probabilities or flows to numbered cells and a table of them. */
#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "annot/export.h"
#include "cli/cli.h"
#include "core/guard.h"
#include "core/limits.h"
#include "core/names.h"
#include "image/labels.h"
#include "image/output.h"
#include "objects/cell_table.h"
#include "objects/cells.h"
#include "objects/morphology.h"
#include "tiles/intensities.h"
#include "tiles/picture_file.h"
#include "tiles/picture_stream.h"

enum { ROIS, GEOJSON, COCO, COCO_RLE, SVG, EXPORTS };

static struct {
    struct cell_rules rules;
    bool probability, method_given, error_given, force;
    enum { DISTANCE, PROBABILITY } map;
    int64_t min_size; /* -1: the method's */
    float threshold;  /* 0: the most probable class */
    int format;       /* -1: by the name */
    const char *output, *suffix, *table, *image;
    const char *stream;           /* that is read, or NULL */
    const char *exports[EXPORTS]; /* paths */
    double pixel_size[2];         /* height, width; given by the user */
} settings = {
    .rules = {.connectivity = 8, .depth = 0.15, .flow = FLOW_RULES_DEFAULT, .renumber = true},
    .min_size = -1,
    .format = -1,
    .suffix = "",
};

static const struct cli_option options[] = {
    {'m', "method", CELL_METHOD_WORDS,
     "how cells are found (default flows where a stream has them, else components)",
     CLI_CHOICE(settings.rules.method), CLI_GIVEN(settings.method_given)},
    {'o', "output", "FILE|DIR", "label image (default standard output, none with a table)",
     CLI_TEXT(settings.output)},
    {'f', "format", IMAGE_FORMAT_WORDS, "format, where no file name tells it (default tiff)",
     CLI_CHOICE(settings.format)},
    {0, "suffix", "TEXT", "with -o DIR: what file names have after the stem",
     CLI_TEXT(settings.suffix)},
    {'T', "table", "FILE", "write the table of cells, - for standard output",
     CLI_TEXT(settings.table)},
    {'i', "image", "FILE|DIR", "images whose intensities the table has, matched by stem",
     CLI_TEXT(settings.image)},
    {'p', "probability", NULL, "inputs are images of foreground probabilities",
     CLI_FLAG(settings.probability)},
    {'t', "threshold", "P", "least foreground probability (default: most probable)",
     CLI_REAL(settings.threshold, 0.0001, 1)},
    {'c', "connectivity", "4|8", "neighbours of a pixel (default 8)",
     CLI_CHOICE_FOR(settings.rules.connectivity, 4, 8)},
    {0, "map", "distance|probability", "where watershed looks for valleys",
     CLI_CHOICE(settings.map)},
    {0, "depth", "D", "watershed: how deep a valley is, 0 to 1 (default 0.15)",
     CLI_REAL(settings.rules.depth, 0, 1)},
    {0, "cell-threshold", "X", "flows: least cell logit (default 0)",
     CLI_REAL(settings.rules.flow.cell_threshold, -1000, 1000)},
    {0, "flow-threshold", "X",
     "flows: largest flow error, 0 for any (default 0.4; 2 beside classes)",
     CLI_REAL(settings.rules.flow.flow_threshold, 0, 1000), CLI_GIVEN(settings.error_given)},
    {0, "steps", "N", "flows: steps along the flow (default 200)",
     CLI_INT(settings.rules.flow.steps, 1, 100000)},
    {0, "max-share", "S", "flows: largest share of the image (default 0.4)",
     CLI_REAL(settings.rules.flow.max_share, 0, 1)},
    {0, "smooth", "R", "smooth outlines: majority in a disc of R pixels",
     CLI_INT(settings.rules.smooth, 0, 15)},
    {0, "fill", NULL, "fill holes (flows do)", CLI_FLAG(settings.rules.fill)},
    {0, "max-hole", "N", "fill holes of at most N pixels",
     CLI_INT(settings.rules.max_hole, 1, INT64_MAX), CLI_GIVEN(settings.rules.fill)},
    {0, "min-size", "N", "drop cells of fewer pixels (default 0, flows 15)",
     CLI_INT(settings.min_size, 0, INT64_MAX)},
    {0, "clear-border", NULL, "drop cells that touch the image's border",
     CLI_FLAG(settings.rules.clear_border)},
    {0, "rois", "FILE|DIR", "write ImageJ regions of interest, a zip",
     CLI_TEXT(settings.exports[ROIS])},
    {0, "geojson", "FILE|DIR", "write outlines as GeoJSON, for QuPath",
     CLI_TEXT(settings.exports[GEOJSON])},
    {0, "coco", "FILE", "write COCO JSON of all images, outlines as polygons",
     CLI_TEXT(settings.exports[COCO])},
    {0, "coco-rle", "FILE", "the same with run lengths, which keep holes",
     CLI_TEXT(settings.exports[COCO_RLE])},
    {0, "svg", "FILE|DIR", "write outlines as SVG", CLI_TEXT(settings.exports[SVG])},
    PLANES_OPTIONS,
    {0, "force", NULL, "in a folder, replace files that are not of an earlier run",
     CLI_FLAG(settings.force)},
    {0, "pixel-size", "UM[,UM]", "height and width of a pixel in micrometres",
     CLI_PIXEL_SIZE(settings.pixel_size)},
    {0, "max-pixels", "N", "refuse larger images (default: half of memory's bytes)",
     CLI_INT(limits.max_pixels, 1, INT64_MAX)},
    {0},
};

static const struct cli_program program = {
    .name = "label",
    .purpose = "number cells and measure them",
    .synopsis = "[options] [IMAGE... | STREAM.tar]",
    .options = options,
    .notes = "Without operands a tensor stream is read from standard input.",
};

static struct cell_table *table;
static int table_channels; /* of the intensities; 0: no header yet */
static struct intensities intensities;
static struct destination output;
static struct annot_export exports[EXPORTS];
static bool some_failed;

static bool is_flows(void)
{
    return settings.rules.method == CELLS_FLOWS;
}

/* ---- the table ---- */

/* A picture whose prediction has become cells, and the classes that they had. */
struct labelled {
    const struct picture *picture;
    const struct spill *classes;
};

static int write_cell(void *user, const struct region *region, struct err *err)
{
    const struct labelled *labelled = user;
    const struct picture *p = labelled->picture;
    struct quantity quantities[REGION_MAX_QUANTITIES];
    struct cell_line line = {p->name, region->box.label,
                             cells_class(labelled->classes, p->prediction, p->width, &region->box),
                             p->pixel_height, p->pixel_width};
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

static int tabulate(struct picture *picture, const struct spill *classes, struct err *err)
{
    struct labelled labelled = {picture, classes};
    struct measure_image image;
    if (intensities_of(&intensities, picture, &image, err) || write_head(image.channels, err))
        return -1;
    return measure_all(picture->prediction, picture->height, picture->width, &image,
                       picture->foreground, picture->doubt, write_cell, &labelled, err);
}

/* ---- label images and exports ---- */

/* What its files are called in folders, and what they come from. */
struct file_names {
    char stem[NAME_MAX + 1];
    const char *source;
};

/* A picture of a stream comes from its image, if that is there, else from the stream. */
static int choose_names(struct file_names *names, const struct picture *p, struct err *err)
{
    static struct names used;
    bool is_there = access(p->name, F_OK) == 0;
    names->source = is_there || !settings.stream ? p->name : settings.stream;
    if (guard_input(p->name))
        return err_memory(err, "names of inputs");
    return names_new_stem(&used, p->name, names->stem, sizeof names->stem, err);
}

static int write_labels(const struct picture *p, const struct file_names *names, struct err *err)
{
    char path[4096];
    uint32_t max = labels_max(p->prediction, p->height * p->width);
    struct image_info info = image_label_info((int64_t)p->width, (int64_t)p->height, max, 16);
    static const char *const names_of_channels[] = {"cells"};
    bool png = settings.format == IMAGE_PNG && max <= UINT16_MAX;
    bool ome = settings.format == IMAGE_OME_TIFF;
    enum image_format format = image_output_format(&output, png   ? IMAGE_PNG
                                                            : ome ? IMAGE_OME_TIFF
                                                                  : IMAGE_TIFF);
    info.channel_names = names_of_channels;
    info.pixel_height = p->pixel_height;
    info.pixel_width = p->pixel_width;
    if (destination_file(&output, names->stem, names->source, image_format_ending(format), path,
                         sizeof path, err))
        return -1;
    if (format == IMAGE_PNG && info.bits == 32)
        return err_set(err, STATUS_USAGE, "write '%s': %u cells are too many for PNG, use TIFF",
                       path, max);
    return image_save_labels(path, format, &info, p->prediction, err);
}

static int export_all(const struct picture *p, const struct file_names *names, struct err *err)
{
    struct annot_image image = {p->name, (int64_t)p->width, (int64_t)p->height};
    struct array labels = array_view(DTYPE_U32, 2, (size_t[]){p->height, p->width}, p->prediction);
    for (size_t i = 0; i < EXPORTS; i++)
        if (settings.exports[i] &&
            annot_export_put(&exports[i], &image, names->stem, names->source, &labels, err))
            return -1;
    return 0;
}

/* ---- a picture from beginning to end ---- */

/* What a method has unless it was told otherwise. */
static void complete_rules(struct cell_rules *rules)
{
    bool flows = rules->method == CELLS_FLOWS;
    rules->fill |= flows;
    rules->renumber = rules->method != CELLS_KEEP;
    rules->min_size = settings.min_size >= 0 ? (uint64_t)settings.min_size : flows ? 15 : 0;
}

/* Flows that were learnt beside classes: pixels by which they are smoothed, and the largest
 * error of an object's. */
#define STEADY_SIGMA 2
#define STEADY_ERROR 2

/* Where the picture has flows of length 1, cells are what the probabilities say. */
static int find_by_flows(struct picture *p, struct err *err)
{
    struct cell_rules rules = settings.rules;
    uint32_t count;
    if (flows_steady(p->flows, p->height, p->width, STEADY_SIGMA, 1, err))
        return -1;
    if (!settings.error_given)
        rules.flow.flow_threshold = STEADY_ERROR;
    rules.method = CELLS_FLOWS;
    complete_rules(&rules);
    rules.flow.scale = 1;
    rules.flow.cell_threshold =
        settings.threshold > 0 ? settings.threshold : 1 / (1 + exp(-rules.flow.cell_threshold));
    return cells_find(p->prediction, p->height, p->width, &rules, NULL, p->flows, p->foreground,
                      &count, err);
}

static int find_cells(struct picture *p, struct err *err)
{
    uint32_t count;
    if (p->flows)
        return find_by_flows(p, err);
    const float *map = settings.map == PROBABILITY ? p->foreground : NULL;
    const float *cell = p->values ? p->values + 2 * p->height * p->width : NULL;
    return cells_find(p->prediction, p->height, p->width, &settings.rules, map, p->values, cell,
                      &count, err);
}

static int find_and_tabulate(struct picture *p, struct err *err)
{
    bool has_classes = !is_flows() && settings.rules.method != CELLS_KEEP;
    struct spill classes = {0};
    int rc = 0;
    if (has_classes)
        rc = cells_keep_classes(&classes, p->prediction, p->height * p->width, err);
    if (rc == 0)
        rc = find_cells(p, err);
    if (rc == 0)
        rc = tabulate(p, &classes, err);
    spill_free(&classes);
    return rc;
}

/* The picture's prediction becomes its cells. */
static int label(struct picture *p, struct err *err)
{
    if (settings.map == PROBABILITY && !p->foreground)
        return err_set(err, STATUS_DATA, "label '%s': there are no probabilities of two classes",
                       p->name);
    if (settings.pixel_size[0] > 0) {
        p->pixel_height = settings.pixel_size[0];
        p->pixel_width = settings.pixel_size[1];
    }
    if (!p->prediction && picture_add(p, PICTURE_PREDICTION, 1, err))
        return -1;
    if (table ? find_and_tabulate(p, err) : find_cells(p, err))
        return -1;
    struct file_names names;
    if (choose_names(&names, p, err) || (settings.output && write_labels(p, &names, err)))
        return -1;
    return export_all(p, &names, err);
}

/* ---- images ---- */

static int read_picture(struct picture *picture, const char *path, struct err *err)
{
    if (is_flows())
        return picture_read_flows(picture, path, err);
    return settings.probability ? picture_read_probability(picture, path, settings.threshold, err)
                                : picture_read_mask(picture, path, err);
}

static void label_image(const char *path, bool alone)
{
    struct picture picture;
    struct err err;
    if (read_picture(&picture, path, &err) || label(&picture, &err)) {
        if (alone || err.status == STATUS_MEMORY || err.status == STATUS_IO)
            cli_die_err(&err);
        cli_warn_err(&err);
        some_failed = true;
    }
    picture_free(&picture);
}

static void label_images(char **paths, int count)
{
    struct err err;
    if (guard_inputs(paths, count, &err))
        cli_die_err(&err);
    for (int i = 0; i < count; i++) {
        label_image(paths[i], count == 1);
        cli_progress("images", (uint64_t)i + 1, (uint64_t)count);
    }
}

/* ---- streams ---- */

static int label_assembled(void *user, struct picture *picture, struct err *err)
{
    (void)user;
    return label(picture, err);
}

static unsigned parts_wanted(void)
{
    unsigned parts = is_flows()
                         ? 1u << PICTURE_VALUES | 1u << PICTURE_FLOWS | 1u << PICTURE_FOREGROUND
                         : 1u << PICTURE_PREDICTION;
    if (!settings.method_given)
        parts |= 1u << PICTURE_FLOWS | 1u << PICTURE_FOREGROUND;
    if (!is_flows() && (table || settings.map == PROBABILITY))
        parts |= 1u << PICTURE_FOREGROUND;
    if (!is_flows() && table)
        parts |= 1u << PICTURE_DOUBT;
    if (table && !settings.image)
        parts |= 1u << PICTURE_IMAGE;
    return parts;
}

static void label_stream(const char *path)
{
    struct err err;
    settings.stream = path;
    struct picture_stream_rules rules = {.values = is_flows() ? "logits" : "prob",
                                         .planes = is_flows() ? 3 : 0,
                                         .gather.only_one =
                                             settings.output && !output.is_folder ? "-o" : NULL,
                                         .threshold = settings.threshold,
                                         .wanted = parts_wanted(),
                                         .warn = cli_warn_err,
                                         .progress = cli_progress};
    int result = picture_stream_walk(path, &rules, label_assembled, NULL, &err);
    if (result < 0)
        cli_die_err(&err);
    if (result > 0)
        cli_warn_err(&err);
    some_failed |= result > 0;
}

/* ---- options ---- */

static void complete_settings(void)
{
    struct cell_rules *rules = &settings.rules;
    if (settings.force)
        guard_force();
    bool flows = is_flows(), exported = false;
    complete_rules(rules);
    for (size_t i = 0; i < EXPORTS; i++)
        exported |= settings.exports[i] != NULL;
    if (!settings.output && !settings.table && !exported)
        settings.output = "-";
    if (flows && settings.probability)
        cli_die_usage("--probability and --method flows cannot be combined");
    if (settings.map == PROBABILITY && rules->method != CELLS_WATERSHED)
        cli_die_usage("--map goes with --method watershed");
    if (settings.image && !settings.table)
        cli_die_usage("--image goes with --table");
}

static void prepare_output(int inputs)
{
    struct err err;
    if (!settings.output)
        return;
    if (image_destination_set(&output, settings.output, settings.suffix, &err))
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
    static const enum annot_format formats[EXPORTS] = {[ROIS] = ANNOT_ROI_ZIP,
                                                       [GEOJSON] = ANNOT_GEOJSON,
                                                       [COCO] = ANNOT_COCO,
                                                       [COCO_RLE] = ANNOT_COCO_RLE,
                                                       [SVG] = ANNOT_SVG};
    struct err err;
    for (size_t i = 0; i < EXPORTS; i++)
        if (settings.exports[i] && annot_export_begin(&exports[i], formats[i], settings.exports[i],
                                                      settings.suffix, inputs > 1, &err))
            cli_die_err(&err);
}

static void prepare_table(void)
{
    struct err err;
    if (intensities_open(&intensities, settings.image, &err) ||
        (settings.table && cell_table_open(&table, settings.table, &err)))
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
    intensities_free(&intensities);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
