/* label: masks, probabilities or flows to numbered cells and a table of them. */
#include <string.h>

#include "annot/results.h"
#include "cli/cli.h"
#include "core/guard.h"
#include "core/limits.h"
#include "image/image.h"
#include "objects/cells.h"
#include "objects/flow_targets.h"
#include "tiles/picture_file.h"
#include "tiles/picture_stream.h"

#define LARGE_DIAMETER 70 /* pixels, of which cells are better found in a smaller image */

static struct {
    struct cell_options cells;
    bool probability, method_given, error_given, force;
    enum { DISTANCE, PROBABILITY } map;
    float threshold;      /* 0: the most probable class */
    double pixel_size[2]; /* height, width; given by the user */
    struct results_options results;
} settings = {
    .cells = {.connectivity = 8,
              .depth = 0.15,
              .flow = FLOW_OPTIONS_DEFAULT,
              .min_size = -1,
              .min_relative = -1},
    .results = {.format = -1, .suffix = ""},
};

static const struct cli_option options[] = {
    {'m', "method", CELL_METHOD_WORDS, "how cells are found (flows of a stream, else components)",
     CLI_CHOICE(settings.cells.method), CLI_GIVEN(settings.method_given)},
    {'o', "output", "FILE|DIR", "label image (default standard output, none with a table)",
     CLI_TEXT(settings.results.labels)},
    {'f', "format", IMAGE_FORMAT_WORDS, "format, where no file name tells it (default tiff)",
     CLI_CHOICE(settings.results.format)},
    {0, "suffix", "TEXT", "with -o DIR: what file names have after the stem",
     CLI_TEXT(settings.results.suffix)},
    {'T', "table", "FILE", "write the table of cells, - for standard output",
     CLI_TEXT(settings.results.table)},
    {'i', "image", "FILE|DIR", "images whose intensities the table has, matched by stem",
     CLI_TEXT(settings.results.intensities)},
    {'p', "probability", NULL, "inputs are images of foreground probabilities",
     CLI_FLAG(settings.probability)},
    {'t', "threshold", "P", "least foreground probability (default: most probable)",
     CLI_REAL(settings.threshold, 0.0001, 1)},
    {'c', "connectivity", "4|8", "neighbors of a pixel (default 8)",
     CLI_CHOICE_FOR(settings.cells.connectivity, 4, 8)},
    {0, "map", "distance|probability", "where watershed looks for valleys",
     CLI_CHOICE(settings.map)},
    {0, "depth", "D", "watershed: how deep a valley is, 0 to 1 (default 0.15)",
     CLI_REAL(settings.cells.depth, 0, 1)},
    {0, "cell-threshold", "X", "flows: least cell logit (default 0)",
     CLI_REAL(settings.cells.flow.cell_threshold, -1000, 1000)},
    {0, "flow-threshold", "X", "flows: largest error, 0 for any (default 0.4; 2 beside classes)",
     CLI_REAL(settings.cells.flow.flow_threshold, 0, 1000), CLI_GIVEN(settings.error_given)},
    {0, "steps", "N", "flows: steps along the flow (default 200; distance flows 6)",
     CLI_INT(settings.cells.flow.steps, 1, 100000)},
    {0, "max-share", "S", "flows: largest share of the image (default 0.4)",
     CLI_REAL(settings.cells.flow.max_share, 0, 1)},
    {0, "smooth", "R", "smooth outlines: majority in a disc of R pixels",
     CLI_INT(settings.cells.smooth, 0, 15)},
    {0, "fill", NULL, "fill holes (flows do)", CLI_FLAG(settings.cells.fill)},
    {0, "max-hole", "N", "fill holes of at most N pixels",
     CLI_INT(settings.cells.max_hole, 1, INT64_MAX), CLI_GIVEN(settings.cells.fill)},
    {0, "min-size", "N", "drop cells of fewer pixels (default 0, flows 15)",
     CLI_INT(settings.cells.min_size, 0, INT64_MAX)},
    {0, "min-relative", "SHARE", "drop cells under this share of the median (beside classes 0.1)",
     CLI_REAL(settings.cells.min_relative, 0, 1)},
    {0, "rims", "N", "write classes: 0, 1 rims of N pixels, 2 insides, for train --classes 3",
     CLI_INT(settings.cells.rims, 1, RIMS_WIDEST)},
    {0, "clear-border", NULL, "drop cells that touch the image's border",
     CLI_FLAG(settings.cells.clear_border)},
    {0, "rois", "FILE|DIR", "write ImageJ regions of interest, a zip",
     CLI_TEXT(settings.results.exports[RESULTS_ROIS])},
    {0, "geojson", "FILE|DIR", "write outlines as GeoJSON, for QuPath",
     CLI_TEXT(settings.results.exports[RESULTS_GEOJSON])},
    {0, "coco", "FILE", "write COCO JSON of all images, outlines as polygons",
     CLI_TEXT(settings.results.exports[RESULTS_COCO])},
    {0, "coco-rle", "FILE", "the same with run lengths, which keep holes",
     CLI_TEXT(settings.results.exports[RESULTS_COCO_RLE])},
    {0, "svg", "FILE|DIR", "write outlines as SVG",
     CLI_TEXT(settings.results.exports[RESULTS_SVG])},
    {0, "labelme", "FILE|DIR", "write outlines for LabelMe, to be corrected there",
     CLI_TEXT(settings.results.exports[RESULTS_LABELME])},
    PLANES_OPTIONS,
    {0, "force", NULL, "in a folder, replace files that are not of an earlier run",
     CLI_FLAG(settings.force)},
    {0, "pixel-size", "UM[,UM]", "height and width of a pixel in micrometers",
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

static struct results *results;
static bool some_failed;

static bool is_flows(void)
{
    return settings.cells.method == CELLS_FLOWS;
}

/* ---- a picture from beginning to end ---- */

static int find_cells(struct picture *p, struct err *err)
{
    struct cell_options cells = settings.cells;
    const float *map = settings.map == PROBABILITY ? p->foreground : NULL;
    const float *cell = p->values ? p->values + 2 * p->height * p->width : NULL;
    float *flow = p->values;
    uint32_t count;
    if (p->flows) {
        cells_beside_classes(&cells, p->flow_target, settings.threshold, settings.error_given);
        map = NULL, flow = p->flows, cell = p->foreground;
    }
    return cells_find(p->prediction, p->height, p->width, &cells, map, flow, cell, &count, err);
}

/* Networks find best what they have seen most: much larger cells come in pieces, but where the
 * network itself chose at what size to see them. */
static int advise(const struct picture *p, struct err *err)
{
    static bool told;
    double diameter = 0;
    if (told || p->judged || !p->flows || settings.cells.rims)
        return 0;
    if (cells_diameter(p->prediction, p->height, p->width, &diameter, err))
        return -1;
    if ((told = diameter * p->shown > LARGE_DIAMETER))
        cli_warn("label '%s': its cells are %.0f pixels wide, wider than networks know best: "
                 "tile --diameter %.0f may find them better",
                 p->name, diameter, diameter);
    return 0;
}

/* The picture's prediction becomes its cells. */
static int label(void *user, struct picture *p, struct err *err)
{
    (void)user;
    bool has_classes =
        results_measure(&settings.results) && !is_flows() && settings.cells.method != CELLS_KEEP;
    struct spill classes = {0};
    int rc = 0;
    if (settings.map == PROBABILITY && !p->foreground)
        return err_set(err, STATUS_DATA, "label '%s': there are no probabilities of two classes",
                       p->name);
    if (settings.pixel_size[0] > 0) {
        p->pixel_height = settings.pixel_size[0];
        p->pixel_width = settings.pixel_size[1];
    }
    if (!p->prediction && picture_add(p, PICTURE_PREDICTION, 1, err))
        return -1;
    if (has_classes)
        rc = cells_keep_classes(&classes, p->prediction, p->height * p->width, err);
    if (rc == 0)
        rc = find_cells(p, err) || advise(p, err) ? -1 : 0;
    if (rc == 0)
        rc = results_put(results, p, &classes, err);
    spill_free(&classes);
    return rc;
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
    if (read_picture(&picture, path, &err) || label(NULL, &picture, &err)) {
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

static unsigned parts_wanted(void)
{
    unsigned parts = is_flows()
                         ? 1u << PICTURE_VALUES | 1u << PICTURE_FLOWS | 1u << PICTURE_FOREGROUND
                         : 1u << PICTURE_PREDICTION;
    if (!settings.method_given)
        parts |= 1u << PICTURE_FLOWS | 1u << PICTURE_FOREGROUND;
    if (!is_flows() && (results_measure(&settings.results) || settings.map == PROBABILITY))
        parts |= 1u << PICTURE_FOREGROUND;
    if (!is_flows() && results_measure(&settings.results))
        parts |= 1u << PICTURE_UNCERTAINTY;
    if (results_measure(&settings.results) && !settings.results.intensities)
        parts |= 1u << PICTURE_IMAGE;
    return parts;
}

static void label_stream(const char *path)
{
    struct err err;
    struct picture_stream_options pictures = {.values = is_flows() ? "logits" : "prob",
                                              .planes = is_flows() ? 3 : 0,
                                              .gather.only_one =
                                                  results_have_one_image(results) ? "-o" : NULL,
                                              .threshold = settings.threshold,
                                              .wanted = parts_wanted(),
                                              .warn = cli_warn_err,
                                              .progress = cli_progress};
    int result = picture_stream_walk(path, &pictures, label, NULL, &err);
    if (result < 0)
        cli_die_err(&err);
    if (result > 0)
        cli_warn_err(&err);
    some_failed |= result > 0;
}

/* ---- options ---- */

static void complete_settings(void)
{
    struct results_options *out = &settings.results;
    if (settings.force)
        guard_force();
    bool exported = false;
    for (size_t i = 0; i < RESULTS_EXPORTS; i++)
        exported |= out->exports[i] != NULL;
    if (!out->labels && !out->table && !exported)
        out->labels = "-";
    if (settings.cells.rims && (out->table || exported))
        cli_die_usage("--rims goes with -o alone");
    if (is_flows() && settings.probability)
        cli_die_usage("--probability and --method flows cannot be combined");
    if (settings.map == PROBABILITY && settings.cells.method != CELLS_WATERSHED)
        cli_die_usage("--map goes with --method watershed");
    if (out->intensities && !results_measure(&settings.results))
        cli_die_usage("--image goes with --table or --geojson");
}

static void check_standard_output(void)
{
    const struct results_options *out = &settings.results;
    if (!out->labels || strcmp(out->labels, "-") != 0)
        return;
    cli_refuse_terminal("a label image");
    if (out->table && strcmp(out->table, "-") == 0)
        cli_die_usage("the label image and the table cannot both go to standard output");
}

int main(int argc, char **argv)
{
    cli_start(&program, argc, argv);
    int count = cli_operand_count();
    char **operands = cli_operands();
    struct err err;
    const char *dot = count == 1 ? strrchr(operands[0], '.') : NULL;
    if (count == 0 || strcmp(operands[0], "-") == 0 || (dot && strcmp(dot, ".tar") == 0))
        settings.results.stream = count ? operands[0] : "-";
    settings.results.several = count > 1;
    complete_settings();
    check_standard_output();
    if (results_begin(&results, &settings.results, &err))
        cli_die_err(&err);
    if (settings.results.stream)
        label_stream(settings.results.stream);
    else
        label_images(operands, count);
    if (results_commit(results, &err))
        cli_die_err(&err);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
