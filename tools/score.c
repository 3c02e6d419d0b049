/* score: compare predictions with the truth. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/destination.h"
#include "core/limits.h"
#include "core/table.h"
#include "image/pairs.h"
#include "image/planes.h"
#include "scores/files.h"
#include "scores/report.h"
#include "tiles/picture_stream.h"

static struct {
    struct compare_options comparison;
    bool probability, runs, csv;
    enum { BY_IMAGE, BY_TILE } by;
    enum { PIXELS, MICROMETERS } unit;
    float threshold;      /* 0: the most probable class */
    double pixel_size[2]; /* height, width; given by the user, micrometers */
    const char *prediction_suffix, *truth_suffix, *curve, *reliability;
} settings = {
    .comparison.scores = {.size_y = 1,
                          .size_x = 1,
                          .unit = "",
                          .threshold_count = 3,
                          .thresholds = {0.5, 0.75, 0.9}},
};

static struct scores_report report;
static struct table_print output;

static const struct cli_option options[] = {
    {'c', "convention", "NAME", "rules where tools differ: " CONVENTION_WORDS,
     CLI_CHOICE_OF(settings.comparison.scores.convention, CONVENTION_WORDS)},
    {'i', "instances", NULL, "values are object labels: add AP, PQ, AJI, F1, counts",
     CLI_FLAG(settings.comparison.objects)},
    {0, "ap", "IOU[,IOU...]", "thresholds of AP (default 0.5,0.75,0.9)",
     CLI_REAL(settings.comparison.scores.thresholds[0], 0.01, 1),
     CLI_LIST(settings.comparison.scores.threshold_count, SCORES_MAX_THRESHOLDS)},
    {0, "components", "4|8", "--instances, objects are connected components",
     CLI_CHOICE_FOR(settings.comparison.components, 4, 8), CLI_GIVEN(settings.comparison.objects)},
    {0, "classes", "K", "values are classes 0 to K-1: a row for each class above 0",
     CLI_INT(settings.comparison.classes, 2, 255)},
    {0, "probability", NULL, "predictions are images of foreground probabilities",
     CLI_FLAG(settings.probability)},
    {'t', "threshold", "P", "least foreground probability (default: most probable)",
     CLI_REAL(settings.threshold, 0.0001, 1)},
    {0, "by", "image|tile", "a row for each source image (default) or each tile",
     CLI_CHOICE(settings.by)},
    {0, "unit", "px|um", "distances in pixels (default) or micrometers", CLI_CHOICE(settings.unit)},
    {0, "pixel-size", "UM[,UM]", "height and width of a pixel, for --unit um",
     CLI_PIXEL_SIZE(settings.pixel_size)},
    {'s', "summary", NULL, "mean, standard deviation and count of each column",
     CLI_FLAG(report.summarize)},
    {0, "runs", NULL, "operands are tables of runs: --summary over their means",
     CLI_FLAG(settings.runs)},
    {'j', "json", NULL, "rows and summary as JSON", CLI_FLAG(report.json)},
    {0, "csv", NULL, "commas between cells, for spreadsheets", CLI_FLAG(settings.csv)},
    {0, "curve", "FILE", "write the risk-coverage curve of all images as TSV",
     CLI_TEXT(settings.curve)},
    {0, "reliability", "FILE", "write the reliability diagram's bins as TSV",
     CLI_TEXT(settings.reliability)},
    {0, "prediction-suffix", "TEXT", "end of predictions' stems (folders; default as masks do)",
     CLI_TEXT(settings.prediction_suffix)},
    {0, "truth-suffix", "TEXT", "end of truths' stems (likewise)", CLI_TEXT(settings.truth_suffix)},
    PLANES_OPTIONS,
    {0, "max-pixels", "N", "refuse larger images (default: half of memory's bytes)",
     CLI_INT(limits.max_pixels, 1, INT64_MAX)},
    {0},
};

static const struct cli_program program = {
    .name = "score",
    .purpose = "compare predictions with the truth",
    .synopsis = "[options] < STREAM | PREDICTION TRUTH | --runs TSV...",
    .options = options,
    .notes = "PREDICTION and TRUTH are two masks, or two folders of masks matched by stem.",
};

static struct compare_totals totals;
static bool some_failed;

/* ---- comparing ---- */

struct subject {
    const char *name;
    double pixel_height, pixel_width; /* micrometers, 0 when unknown */
    struct compare_pair pair;
};

static int take_row(void *user, int class, const struct scores *row, struct err *err)
{
    const struct subject *subject = user;
    return scores_report_row(&report, subject->name, class, row, err);
}

static int set_pixel_size(const struct subject *subject, struct score_options *scores,
                          struct err *err)
{
    if (settings.unit == PIXELS)
        return 0;
    bool given = settings.pixel_size[0] > 0;
    scores->size_y = given ? settings.pixel_size[0] : subject->pixel_height;
    scores->size_x = given ? settings.pixel_size[1] : subject->pixel_width;
    if (scores->size_y > 0 && scores->size_x > 0)
        return 0;
    return err_set(err, STATUS_DATA,
                   "compare '%s': the image does not tell its pixel size (use --pixel-size)",
                   subject->name);
}

static int compare(struct subject *subject, struct err *err)
{
    struct compare_options comparison = settings.comparison;
    if (set_pixel_size(subject, &comparison.scores, err))
        return -1;
    if (compare_images(&subject->pair, &comparison, &totals, take_row, subject, err))
        return err_prefix(err, "compare '%s'", subject->name);
    return 0;
}

/* ---- files ---- */

static int compare_files(const char *name, const char *prediction, const char *truth,
                         struct err *err)
{
    const struct files_options how = {.labels = settings.comparison.objects ||
                                                settings.comparison.classes,
                                      .probability = settings.probability,
                                      .threshold = settings.threshold};
    struct files_pair files;
    int result = files_load(&files, prediction, truth, &how, err);
    if (result == 0) {
        struct subject subject = {name, files.pixel_height, files.pixel_width, files.pair};
        result = compare(&subject, err);
    }
    files_free(&files);
    return result;
}

static void fail_softly(const struct err *err)
{
    if (err->status == STATUS_MEMORY)
        cli_die_err(err);
    cli_warn_err(err);
    some_failed = true;
}

static void compare_folders(const char *predictions, const char *truths)
{
    struct pairs pairs;
    struct err err;
    if (pairs_match(&pairs, predictions, settings.prediction_suffix, truths, settings.truth_suffix,
                    &err))
        cli_die_err(&err);
    for (size_t i = 0; i < pairs.matched_count; i++) {
        const struct pair *pair = &pairs.matched[i];
        if (compare_files(pair->stem, pair->a, pair->b, &err))
            fail_softly(&err);
        cli_progress("images", i + 1, pairs.matched_count);
    }
    for (size_t i = 0; i < pairs.single_count; i++) {
        const struct pair *pair = &pairs.single[i];
        cli_warn("match '%s': there is no %s of that stem", pair->a ? pair->a : pair->b,
                 pair->a ? "truth" : "prediction");
        some_failed = true;
    }
    pairs_free(&pairs);
}

static void compare_operands(char **paths)
{
    struct err err;
    for (int i = 0; i < 2; i++)
        if (strcmp(paths[i], "-") != 0 && access(paths[i], F_OK)) {
            err_errno(&err, err_open_status(errno), "open '%s'", paths[i]);
            cli_die_err(&err);
        }
    if (path_is_folder(paths[0]) != path_is_folder(paths[1]))
        cli_die_usage("'%s' and '%s' must be two files or two folders", paths[0], paths[1]);
    if (path_is_folder(paths[0]))
        compare_folders(paths[0], paths[1]);
    else if (compare_files(paths[0], paths[0], paths[1], &err))
        cli_die_err(&err);
}

/* ---- streams ---- */

static int compare_assembled(void *user, struct picture *p, struct err *err)
{
    struct subject subject = {.name = p->name,
                              .pixel_height = p->pixel_height,
                              .pixel_width = p->pixel_width,
                              .pair = {.height = p->height,
                                       .width = p->width,
                                       .prediction = p->prediction,
                                       .prediction_is_classes = true,
                                       .truth = p->truth,
                                       .foreground = p->foreground,
                                       .uncertainty = p->uncertainty}};
    (void)user;
    return compare(&subject, err);
}

/* Tiles are compared at their own scale. */
static void compare_stream(const char *path)
{
    struct err err;
    struct picture_stream_options pictures = {
        .values = "prob",
        .gather = {.by_tile = settings.by == BY_TILE, .as_tiled = true},
        .warn = cli_warn_err,
        .threshold = settings.threshold,
        .wanted = 1u << PICTURE_PREDICTION | 1u << PICTURE_TRUTH | 1u << PICTURE_FOREGROUND |
                  1u << PICTURE_UNCERTAINTY,
        .progress = cli_progress};
    int result = picture_stream_walk(path, &pictures, compare_assembled, NULL, &err);
    if (result < 0)
        cli_die_err(&err);
    if (result > 0)
        cli_warn_err(&err);
    some_failed |= result > 0;
}

/* ---- tables ---- */

static void summarize_runs(char **paths)
{
    for (; *paths; paths++) {
        struct scores means;
        struct err err;
        if (scores_of_run(&means, *paths, &err) ||
            scores_report_row(&report, *paths, 0, &means, &err))
            cli_die_err(&err);
    }
}

/* ---- options ---- */

static void complete_settings(void)
{
    static const char *const conventions[] = {"strict",   "released", "medpy",
                                              "cellpose", "stardist", "nnunet"};
    if (settings.comparison.objects && settings.comparison.classes)
        cli_die_usage("--instances and --classes cannot be combined");
    settings.comparison.scores.unit = settings.unit == MICROMETERS ? "_um" : "";
    if (settings.csv && report.json)
        cli_die_usage("--csv and --json cannot be combined");
    report.to = output.to;
    report.classes = settings.comparison.classes > 0;
    report.convention = conventions[settings.comparison.scores.convention];
    report.summarize |= settings.runs;
    report.rows = !report.summarize;
}

int main(int argc, char **argv)
{
    struct err err;
    cli_start(&program, argc, argv);
    int count = cli_operand_count();
    char **operands = cli_operands();
    if (settings.runs ? count == 0 : count > 2)
        cli_die_usage("a stream, PREDICTION and TRUTH, or --runs and tables are needed");
    if (table_print_begin(&output, settings.csv, &err))
        cli_die_err(&err);
    complete_settings();
    scores_report_begin(&report);
    if (settings.runs)
        summarize_runs(operands);
    else if (count == 2)
        compare_operands(operands);
    else
        compare_stream(count ? operands[0] : "-");
    if (scores_report_end(&report, &err) || table_print_end(&output, &err) ||
        (settings.curve && scores_write_curve(settings.curve, &totals.risk, &err)) ||
        (settings.reliability &&
         scores_write_reliability(settings.reliability, &totals.calibration, &err)))
        cli_die_err(&err);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
