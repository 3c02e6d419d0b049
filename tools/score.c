/* score: compare predictions with the truth. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "core/num.h"
#include "core/outfile.h"
#include "image/folder.h"
#include "image/labels.h"
#include "ops/canvas.h"
#include "ops/components.h"
#include "ops/scores.h"
#include "ops/table.h"
#include "stream/stream.h"

enum {
    OPT_CONVENTION = 'c',
    OPT_INSTANCES = 'i',
    OPT_JSON = 'j',
    OPT_SUMMARY = 's',
    OPT_THRESHOLD = 't',
    OPT_AP = CLI_LONG_ONLY,
    OPT_BY,
    OPT_CLASSES,
    OPT_COMPONENTS,
    OPT_CURVE,
    OPT_PIXEL_SIZE,
    OPT_PREDICTION_SUFFIX,
    OPT_PROBABILITY,
    OPT_RELIABILITY,
    OPT_RUNS,
    OPT_TRUTH_SUFFIX,
    OPT_UNIT,
};

static const struct cli_option options[] = {
    {OPT_CONVENTION, "convention", "NAME", "rules where tools differ: " CONVENTION_WORDS},
    {OPT_INSTANCES, "instances", NULL, "values are object labels: add AP, PQ, AJI, F1, counts"},
    {OPT_AP, "ap", "IOU[,IOU...]", "thresholds of AP (default 0.5,0.75,0.9)"},
    {OPT_COMPONENTS, "components", "4|8", "--instances, objects are connected components"},
    {OPT_CLASSES, "classes", "K", "values are classes 0 to K-1: a row for each class above 0"},
    {OPT_PROBABILITY, "probability", NULL, "predictions are images of foreground probabilities"},
    {OPT_THRESHOLD, "threshold", "P", "least foreground probability (default: most probable)"},
    {OPT_BY, "by", "image|tile", "a row for each source image (default) or each tile"},
    {OPT_UNIT, "unit", "px|um", "distances in pixels (default) or micrometres"},
    {OPT_PIXEL_SIZE, "pixel-size", "UM[,UM]", "height and width of a pixel, for --unit um"},
    {OPT_SUMMARY, "summary", NULL, "mean, standard deviation and count of each column"},
    {OPT_RUNS, "runs", NULL, "operands are tables of runs: --summary over their means"},
    {OPT_JSON, "json", NULL, "rows and summary as JSON"},
    {OPT_CURVE, "curve", "FILE", "write the risk-coverage curve of all images as TSV"},
    {OPT_RELIABILITY, "reliability", "FILE", "write the reliability diagram's bins as TSV"},
    {OPT_PREDICTION_SUFFIX, "prediction-suffix", "TEXT", "end of predictions' stems (folders)"},
    {OPT_TRUTH_SUFFIX, "truth-suffix", "TEXT", "end of truths' stems (folders)"},
    {0},
};

static const struct cli_program program = {
    .name = "score",
    .purpose = "compare predictions with the truth",
    .synopsis = "[options] < STREAM | PREDICTION TRUTH | --runs TSV...",
    .options = options,
    .notes = "PREDICTION and TRUTH are two masks, or two folders of masks matched by stem.",
};

static struct {
    struct score_rules rules;
    bool instances, probability, summary_only, runs, json, by_tile, micrometres;
    int components; /* connectivity, 0: labels as they are */
    int classes;    /* 0: foreground is what is not 0 */
    float threshold;
    double pixel_height, pixel_width; /* given by the user, micrometres */
    const char *prediction_suffix, *truth_suffix, *curve, *reliability;
} settings = {
    .rules = {.size_y = 1,
              .size_x = 1,
              .unit = "",
              .threshold_count = 3,
              .thresholds = {0.5, 0.75, 0.9}},
    .prediction_suffix = "",
    .truth_suffix = "",
};

static struct summary summary;
static struct calibration all_calibration;
static struct risk all_risk;
static uint64_t rows_printed;
static bool some_failed;

/* One image, or one tile, to be compared. */
struct subject {
    const char *name;
    size_t height, width;
    double pixel_height, pixel_width; /* micrometres, 0 when unknown */
    struct picture picture;
    uint8_t *masks[2]; /* prediction and truth, when no more than the foreground is wanted */
};

/* ---- rows out ---- */

static void print_json_string(const char *text)
{
    putchar('"');
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", *text);
        else
            putchar(*text);
    putchar('"');
}

static void print_json_number(double value)
{
    if (isfinite(value))
        printf("%.10g", value);
    else
        fputs("null", stdout);
}

static void print_json_row(const char *name, int class, const struct scores *row)
{
    printf("%s\n{\"name\":", rows_printed ? "," : "");
    print_json_string(name);
    if (settings.classes)
        printf(",\"class\":%d", class);
    for (int i = 0; i < row->count; i++) {
        printf(",\"%s\":", row->columns[i].name);
        print_json_number(row->columns[i].value);
    }
    putchar('}');
}

/* A name must not break a line of the table. */
static void print_name(const char *name)
{
    for (; *name; name++)
        putchar((unsigned char)*name < 0x20 ? '?' : *name);
}

static void print_tsv_header(const struct scores *row)
{
    fputs(settings.classes ? "name\tclass" : "name", stdout);
    for (int i = 0; i < row->count; i++)
        printf("\t%s", row->columns[i].name);
    putchar('\n');
}

static void print_tsv_row(const char *name, int class, const struct scores *row)
{
    if (rows_printed == 0)
        print_tsv_header(row);
    print_name(name);
    if (settings.classes)
        printf("\t%d", class);
    for (int i = 0; i < row->count; i++)
        printf(isnan(row->columns[i].value) ? "\tnan" : "\t%.10g", row->columns[i].value);
    putchar('\n');
}

static void take_row(const char *name, int class, const struct scores *row)
{
    summary_add(&summary, row);
    if (settings.json)
        print_json_row(name, class, row);
    else if (!settings.summary_only)
        print_tsv_row(name, class, row);
    rows_printed++;
}

static void print_json_summary(void)
{
    printf("%s],\n\"summary\":{", rows_printed ? "\n" : "");
    for (int i = 0; i < summary.count; i++) {
        const struct summary_column *c = &summary.columns[i];
        printf("%s\n\"%s\":{\"mean\":", i ? "," : "", c->name);
        print_json_number(c->count ? c->mean : NAN);
        fputs(",\"sd\":", stdout);
        print_json_number(summary_sd(c));
        printf(",\"n\":%" PRIu64 "}", c->count);
    }
    puts("}}");
}

static void print_tsv_summary(void)
{
    puts("metric\tmean\tsd\tn");
    for (int i = 0; i < summary.count; i++) {
        const struct summary_column *c = &summary.columns[i];
        printf("%s\t%.10g\t%.10g\t%" PRIu64 "\n", c->name, c->count ? c->mean : (double)NAN,
               summary_sd(c), c->count);
    }
}

static void print_begin(void)
{
    static const char *const conventions[] = {"strict",   "released", "medpy",
                                              "cellpose", "stardist", "nnunet"};
    if (settings.json)
        printf("{\"convention\":\"%s\",\n\"images\":[", conventions[settings.rules.convention]);
}

static void print_end(void)
{
    if (settings.json)
        print_json_summary();
    else if (settings.summary_only || settings.runs)
        print_tsv_summary();
}

/* ---- comparing ---- */

static int set_pixel_size(const struct subject *subject, struct score_rules *rules, struct err *err)
{
    if (!settings.micrometres)
        return 0;
    double height = settings.pixel_height > 0 ? settings.pixel_height : subject->pixel_height;
    double width = settings.pixel_width > 0 ? settings.pixel_width : subject->pixel_width;
    if (!(height > 0 && width > 0))
        return err_set(err, STATUS_DATA,
                       "compare '%s': the image does not tell its pixel size (use --pixel-size)",
                       subject->name);
    rules->size_y = height;
    rules->size_x = width;
    return 0;
}

/* Foreground, or class `class` when there are classes. */
static uint8_t *mask_of(const uint32_t *labels, size_t count, int class, struct err *err)
{
    uint8_t *mask = malloc(count + 1);
    if (!mask) {
        err_memory(err, "a mask");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        mask[i] = class ? labels[i] == (uint32_t) class : labels[i] != 0;
    return mask;
}

static void add_probabilities(struct scores *row, const struct subject *s, const uint8_t *truth,
                              const uint8_t *prediction)
{
    static struct calibration calibration;
    static struct risk risk;
    size_t count = s->height * s->width;
    uint8_t *wrong = malloc(count + 1);
    if (!wrong)
        return;
    for (size_t i = 0; i < count; i++)
        wrong[i] = truth[i] != prediction[i];
    memset(&calibration, 0, sizeof calibration);
    memset(&risk, 0, sizeof risk);
    calibration_add(&calibration, s->picture.foreground, truth, count);
    calibration_add(&all_calibration, s->picture.foreground, truth, count);
    risk_add(&risk, s->picture.uncertainty, wrong, count);
    risk_add(&all_risk, s->picture.uncertainty, wrong, count);
    scores_of_calibration(row, &calibration);
    scores_of_risk(row, &risk);
    free(wrong);
}

static int add_objects(struct scores *row, const struct subject *s, const struct score_rules *rules,
                       struct err *err)
{
    uint32_t *labels[] = {s->picture.prediction, s->picture.truth}, found;
    for (int i = 0; settings.components && i < 2; i++)
        if (components_label(labels[i], s->height, s->width, settings.components, labels[i], &found,
                             err))
            return -1;
    return scores_of_objects(row, labels[0], labels[1], s->height * s->width, rules, err);
}

static int compare_masks(const struct subject *s, const struct score_rules *rules, int class,
                         const uint8_t *prediction, const uint8_t *truth, struct err *err)
{
    struct scores row = {.count = 0};
    if (scores_of_mask(&row, prediction, truth, s->height, s->width, rules, err))
        return -1;
    if (s->picture.foreground && settings.classes <= 2)
        add_probabilities(&row, s, truth, prediction);
    if (settings.instances && add_objects(&row, s, rules, err))
        return -1;
    take_row(s->name, class, &row);
    return 0;
}

static int compare_class(const struct subject *s, const struct score_rules *rules, int class,
                         struct err *err)
{
    size_t count = s->height * s->width;
    if (s->masks[0])
        return compare_masks(s, rules, class, s->masks[0], s->masks[1], err);
    uint8_t *prediction = mask_of(s->picture.prediction, count, class, err);
    uint8_t *truth = prediction ? mask_of(s->picture.truth, count, class, err) : NULL;
    int rc = truth ? compare_masks(s, rules, class, prediction, truth, err) : -1;
    free(prediction);
    free(truth);
    return rc;
}

static int check_classes(const struct subject *s, struct err *err)
{
    size_t count = s->height * s->width;
    for (size_t i = 0; settings.classes && i < count; i++) {
        uint32_t p = s->picture.prediction[i], t = s->picture.truth[i];
        if (p >= (uint32_t)settings.classes || t >= (uint32_t)settings.classes)
            return err_set(err, STATUS_DATA, "compare '%s': value %u, but classes are 0 to %d",
                           s->name, p > t ? p : t, settings.classes - 1);
    }
    return 0;
}

static int compare(const struct subject *s, struct err *err)
{
    struct score_rules rules = settings.rules;
    if (set_pixel_size(s, &rules, err) || check_classes(s, err))
        return -1;
    if (settings.classes == 0)
        return compare_class(s, &rules, 0, err);
    for (int class = 1; class < settings.classes; class ++)
        if (compare_class(s, &rules, class, err))
            return -1;
    return 0;
}

/* ---- files ---- */

static int binarise(struct picture *p, size_t count, struct err *err)
{
    float limit = settings.threshold > 0 ? settings.threshold : 0.5f;
    p->prediction = malloc(count * sizeof *p->prediction + 1);
    p->uncertainty = malloc(count * sizeof *p->uncertainty + 1);
    if (!p->prediction || !p->uncertainty)
        return err_memory(err, "a prediction");
    for (size_t i = 0; i < count; i++) {
        float f = p->foreground[i];
        p->prediction[i] = f >= limit;
        p->uncertainty[i] = 2 * (f < 0.5f ? f : 1 - f);
    }
    return 0;
}

static int load_prediction(struct subject *s, const char *path, struct image_info *info,
                           struct err *err)
{
    struct picture *p = &s->picture;
    if (settings.probability)
        return image_load_floats(path, info, &p->foreground, err) ||
                       binarise(p, (size_t)info->width * (size_t)info->height, err)
                   ? -1
                   : 0;
    if (settings.instances || settings.classes)
        return image_load_labels32(path, info, &p->prediction, err);
    return image_load_mask(path, info, &s->masks[0], err);
}

static int load_truth(struct subject *s, const char *path, struct image_info *info, struct err *err)
{
    if (s->masks[0])
        return image_load_mask(path, info, &s->masks[1], err);
    return image_load_labels32(path, info, &s->picture.truth, err);
}

static int compare_files(const char *name, const char *prediction, const char *truth,
                         struct err *err)
{
    struct image_info p, t;
    struct subject s = {.name = name};
    int rc = load_prediction(&s, prediction, &p, err);
    if (rc == 0)
        rc = load_truth(&s, truth, &t, err);
    if (rc == 0 && (p.width != t.width || p.height != t.height))
        rc = err_set(err, STATUS_DATA,
                     "compare '%s': %" PRId64 " x %" PRId64 " pixels, its truth '%s' has %" PRId64
                     " x %" PRId64,
                     prediction, p.width, p.height, truth, t.width, t.height);
    if (rc == 0) {
        s.height = (size_t)t.height;
        s.width = (size_t)t.width;
        s.pixel_height = t.pixel_height > 0 ? t.pixel_height : p.pixel_height;
        s.pixel_width = t.pixel_width > 0 ? t.pixel_width : p.pixel_width;
        rc = compare(&s, err);
    }
    picture_free(&s.picture);
    free(s.masks[0]);
    free(s.masks[1]);
    return rc;
}

/* ---- folders ---- */

static void fail_softly(const struct err *err)
{
    if (err->status == STATUS_MEMORY)
        cli_die_err(err);
    cli_warn_err(err);
    some_failed = true;
}

static void warn_single(const struct folder *folder, const struct folder *other, const char *what)
{
    for (size_t i = 0; i < folder->count; i++)
        if (!folder_find(other, folder->files[i].stem)) {
            cli_warn("match '%s': there is no %s of that stem", folder->files[i].path, what);
            some_failed = true;
        }
}

static void compare_folders(const char *prediction_folder, const char *truth_folder)
{
    struct folder predictions, truths;
    struct err err;
    if (folder_list(&predictions, prediction_folder, settings.prediction_suffix, &err) ||
        folder_list(&truths, truth_folder, settings.truth_suffix, &err))
        cli_die_err(&err);
    if (predictions.count == 0)
        cli_die(STATUS_NO_INPUT, "read '%s': no images of such names", prediction_folder);
    for (size_t i = 0; i < predictions.count; i++) {
        const struct folder_file *prediction = &predictions.files[i];
        const struct folder_file *truth = folder_find(&truths, prediction->stem);
        if (truth && compare_files(prediction->stem, prediction->path, truth->path, &err))
            fail_softly(&err);
        cli_progress("images", i + 1, predictions.count);
    }
    warn_single(&predictions, &truths, "truth");
    warn_single(&truths, &predictions, "prediction");
    folder_free(&predictions);
    folder_free(&truths);
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void compare_operands(char **paths)
{
    struct err err;
    if (is_folder(paths[0]) != is_folder(paths[1]))
        cli_die_usage("'%s' and '%s' must be two files or two folders", paths[0], paths[1]);
    if (is_folder(paths[0]))
        compare_folders(paths[0], paths[1]);
    else if (compare_files(paths[0], paths[0], paths[1], &err))
        cli_die_err(&err);
}

/* ---- streams ---- */

/* The image whose tiles are coming in. */
struct assembly {
    bool open;
    char name[1100];
    struct tile_meta meta;
    struct canvas canvas;
    struct table finished; /* hashes of the names that are done */
};

static uint64_t hash_of(const char *name)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return hash & (UINT64_MAX >> 1);
}

static int finish_image(struct assembly *a, struct err *err)
{
    if (!a->open)
        return 0;
    struct subject s = {.name = a->name, .height = a->canvas.height, .width = a->canvas.width};
    if (a->meta.scale_x > 0 && a->meta.scale_y > 0) {
        s.pixel_height = a->meta.pixel_height / a->meta.scale_y;
        s.pixel_width = a->meta.pixel_width / a->meta.scale_x;
    }
    uint64_t *done = table_at(&a->finished, hash_of(a->name), err);
    int rc = done ? canvas_finish(&a->canvas, settings.threshold, &s.picture, err) : -1;
    if (rc == 0) {
        *done = 1;
        rc = compare(&s, err);
        picture_free(&s.picture);
    }
    canvas_free(&a->canvas);
    a->open = false;
    return rc;
}

static int64_t scaled(int64_t value, double scale)
{
    return llround((double)value * scale);
}

static int begin_image(struct assembly *a, const char *name, const struct tile_meta *meta,
                       const struct array *prob, bool has_uncertainty, struct err *err)
{
    snprintf(a->name, sizeof a->name, "%s", name);
    a->meta = *meta;
    if (!settings.by_tile && table_get(&a->finished, hash_of(name)))
        return err_set(err, STATUS_DATA,
                       "the tiles of '%s' do not follow each other (use --by tile)", name);
    bool whole = !settings.by_tile && meta->source_width > 0;
    size_t width = prob->shape[2], height = prob->shape[1];
    if (whole && !(meta->scale_x > 0 && meta->scale_x < 1e4 && meta->scale_y > 0 &&
                   meta->scale_y < 1e4 && meta->source_width <= INT32_MAX &&
                   meta->source_height > 0 && meta->source_height <= INT32_MAX))
        return err_set(err, STATUS_DATA, "'%s' has a size that makes no sense", name);
    if (whole) {
        width = (size_t)scaled(meta->source_width, meta->scale_x);
        height = (size_t)scaled(meta->source_height, meta->scale_y);
    }
    if (canvas_new(&a->canvas, width, height, prob->shape[0], has_uncertainty, err))
        return -1;
    a->open = true;
    return 0;
}

static int add_tile(struct assembly *a, const struct sample *sample, struct err *err)
{
    struct tile_meta meta = {.source = ""};
    const struct array *prob = sample_require(sample, "prob", err);
    const struct array *mask = prob ? sample_require(sample, "mask", err) : NULL;
    const struct array *uncertainty = sample_array(sample, "uncertainty");
    int known = mask ? sample_get_meta(sample, &meta, err) : -1;
    if (known < 0)
        return -1;
    bool alone = settings.by_tile || known == 1 || !meta.source[0] || meta.source_width <= 0;
    const char *name = alone ? sample->key : meta.source;
    if (alone)
        meta.source_width = 0;
    if (a->open && (alone || strcmp(name, a->name) != 0) && finish_image(a, err))
        return -1;
    if (!a->open && begin_image(a, name, &meta, prob, uncertainty != NULL, err))
        return -1;
    if (!alone && (meta.scale_x != a->meta.scale_x || meta.scale_y != a->meta.scale_y))
        return err_set(err, STATUS_DATA, "'%s' has tiles of several scales (use --by tile)", name);
    int64_t x = alone ? 0 : scaled(meta.x, meta.scale_x);
    int64_t y = alone ? 0 : scaled(meta.y, meta.scale_y);
    return canvas_add(&a->canvas, prob, mask, uncertainty, x, y, err);
}

static void compare_stream(const char *path)
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
            err_prefix(&err, "score '%s'", sample.key);
            cli_die_err(&err);
        }
        sample_free(&sample);
        cli_progress("samples", ++count, 0);
    }
    if (result < 0 || finish_image(&assembly, &err))
        cli_die_err(&err);
    table_free(&assembly.finished);
    stream_close(reader);
}

/* ---- tables of runs ---- */

static int split(char *line, char **fields, int max)
{
    int count = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *field = line; field && count < max; count++) {
        char *tab = strchr(field, '\t');
        if (tab)
            *tab = '\0';
        fields[count] = field;
        field = tab ? tab + 1 : NULL;
    }
    return count;
}

static double parse_value(const char *path, uint64_t line, const char *field)
{
    struct err err;
    double value = NAN;
    if (strcmp(field, "nan") != 0 && strcmp(field, "-nan") != 0 &&
        num_real(field, -1e300, 1e300, &value, &err))
        cli_die(STATUS_DATA, "read '%s': line %" PRIu64 ": %s", path, line, err.message);
    return value;
}

static void read_run(FILE *file, const char *path, struct summary *run)
{
    char *header = NULL, *line = NULL, *names[SCORES_MAX_COLUMNS], *fields[SCORES_MAX_COLUMNS];
    size_t header_room = 0, room = 0;
    if (getline(&header, &header_room, file) < 0)
        cli_die(STATUS_DATA, "read '%s': empty", path);
    int columns = split(header, names, SCORES_MAX_COLUMNS);
    if (columns < 2 || strcmp(names[0], "name") != 0)
        cli_die(STATUS_DATA, "read '%s': not a table of score(1)", path);
    for (uint64_t number = 2; getline(&line, &room, file) > 0; number++) {
        struct scores row = {.count = 0};
        if (split(line, fields, SCORES_MAX_COLUMNS) != columns)
            cli_die(STATUS_DATA, "read '%s': line %" PRIu64 " has not %d columns", path, number,
                    columns);
        for (int i = 1; i < columns; i++)
            if (strcmp(names[i], "class") != 0)
                scores_set(&row, names[i], parse_value(path, number, fields[i]));
        summary_add(run, &row);
    }
    if (ferror(file))
        cli_die(STATUS_IO, "read '%s': %s", path, strerror(errno));
    free(header);
    free(line);
}

static void summarise_runs(char **paths)
{
    for (; *paths; paths++) {
        struct summary run = {.count = 0};
        struct scores means;
        FILE *file = fopen(*paths, "r");
        if (!file)
            cli_die(err_open_status(errno), "open '%s': %s", *paths, strerror(errno));
        read_run(file, *paths, &run);
        fclose(file);
        summary_row(&run, &means);
        if (settings.json)
            print_json_row(*paths, 0, &means);
        summary_add(&summary, &means);
        rows_printed++;
    }
}

/* ---- curves ---- */

static void write_text(struct outfile *out, const char *text)
{
    struct err err;
    if (outfile_write(out, text, strlen(text), &err)) {
        outfile_abort(out);
        cli_die_err(&err);
    }
}

static struct outfile *begin_file(const char *path, const char *header)
{
    struct outfile *out;
    struct err err;
    if (outfile_open(&out, path, &err))
        cli_die_err(&err);
    write_text(out, header);
    return out;
}

static void end_file(struct outfile *out)
{
    struct err err;
    if (outfile_commit(out, &err))
        cli_die_err(&err);
}

static void write_curve(const char *path)
{
    struct outfile *out = begin_file(path, "coverage\trisk\n");
    for (int i = 1; i <= 100; i++) {
        char line[64];
        snprintf(line, sizeof line, "%.2f\t%.10g\n", i / 100.0, risk_at(&all_risk, i / 100.0));
        write_text(out, line);
    }
    end_file(out);
}

static void write_reliability(const char *path)
{
    struct outfile *out = begin_file(path, "from\tto\tpixels\tconfidence\taccuracy\n");
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        char line[160];
        double n = (double)all_calibration.count[i];
        snprintf(line, sizeof line, "%.6g\t%.6g\t%.0f\t%.10g\t%.10g\n",
                 (double)i / CALIBRATION_BINS, (double)(i + 1) / CALIBRATION_BINS, n,
                 n > 0 ? all_calibration.confidence[i] / n : (double)NAN,
                 n > 0 ? (double)all_calibration.correct[i] / n : (double)NAN);
        write_text(out, line);
    }
    end_file(out);
}

/* ---- options ---- */

static void read_numbers(double *values, int max, int *count, double least, double most)
{
    char *text = strdup(cli_argument()), *rest = NULL;
    struct err err;
    if (!text)
        cli_die(STATUS_MEMORY, "out of memory for an option");
    *count = 0;
    for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        if (*count == max)
            cli_die_usage("'%s': at most %d numbers", cli_argument(), max);
        if (num_real(word, least, most, &values[(*count)++], &err))
            cli_die_usage("%s", err.message);
    }
    if (*count == 0)
        cli_die_usage("'%s': no number", cli_argument());
    free(text);
}

static void read_pixel_size(void)
{
    double size[2];
    int count;
    read_numbers(size, 2, &count, 1e-9, 1e9);
    settings.pixel_height = size[0];
    settings.pixel_width = size[count - 1];
}

static void read_file_option(int option)
{
    switch (option) {
    case OPT_CURVE:
        settings.curve = cli_argument();
        break;
    case OPT_RELIABILITY:
        settings.reliability = cli_argument();
        break;
    case OPT_PREDICTION_SUFFIX:
        settings.prediction_suffix = cli_argument();
        break;
    case OPT_TRUTH_SUFFIX:
        settings.truth_suffix = cli_argument();
        break;
    case OPT_RUNS:
        settings.runs = true;
        break;
    case OPT_SUMMARY:
        settings.summary_only = true;
        break;
    case OPT_JSON:
        settings.json = true;
        break;
    }
}

static void read_option(int option)
{
    switch (option) {
    case OPT_CONVENTION:
        settings.rules.convention = (enum convention)cli_choice(CONVENTION_WORDS);
        break;
    case OPT_INSTANCES:
        settings.instances = true;
        break;
    case OPT_COMPONENTS:
        settings.components = cli_choice("4|8") ? 8 : 4;
        settings.instances = true;
        break;
    case OPT_AP:
        read_numbers(settings.rules.thresholds, SCORES_MAX_THRESHOLDS,
                     &settings.rules.threshold_count, 0.01, 1);
        break;
    case OPT_CLASSES:
        settings.classes = (int)cli_int(2, 255);
        break;
    case OPT_PROBABILITY:
        settings.probability = true;
        break;
    case OPT_THRESHOLD:
        settings.threshold = (float)cli_real(0.0001, 1);
        break;
    case OPT_BY:
        settings.by_tile = cli_choice("image|tile") == 1;
        break;
    case OPT_UNIT:
        settings.micrometres = cli_choice("px|um") == 1;
        settings.rules.unit = settings.micrometres ? "_um" : "";
        break;
    case OPT_PIXEL_SIZE:
        read_pixel_size();
        break;
    default:
        read_file_option(option);
    }
}

int main(int argc, char **argv)
{
    cli_start(&program, argc, argv);
    for (int option; (option = cli_next_option()) != -1;)
        read_option(option);
    int count = cli_operand_count();
    char **operands = cli_operands();
    if (settings.runs ? count == 0 : count > 2)
        cli_die_usage("a stream, PREDICTION and TRUTH, or --runs and tables are needed");
    if (settings.instances && settings.classes)
        cli_die_usage("--instances and --classes cannot be combined");
    print_begin();
    if (settings.runs)
        summarise_runs(operands);
    else if (count == 2)
        compare_operands(operands);
    else
        compare_stream(count ? operands[0] : "-");
    print_end();
    if (settings.curve)
        write_curve(settings.curve);
    if (settings.reliability)
        write_reliability(settings.reliability);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
