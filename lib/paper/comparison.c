#include "paper/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"

#define PLUS_MINUS "±"

const struct metric metrics[METRIC_COUNT] = {
    {"DSC", "dsc", 100, 1},        {"HD95", "hd95", 1, -1},      {"IoU-0.5", "iou50", 100, 1},
    {"IoU-0.75", "iou75", 100, 1}, {"IoU-0.9", "iou90", 100, 1}, {"mAP", "map", 100, 1},
};

static const struct mean_sd unknown = {NAN, NAN};

const char *record_status(const struct tsv *record)
{
    const char *status = tsv_remark(record, "status");
    return status ? status : "no status";
}

/* ---- the published figures ---- */

static int parse_number(const char *text, size_t length, double *value, struct err *err)
{
    char copy[32];
    if (length >= sizeof copy)
        return err_set(err, STATUS_DATA, "'%s' is not a number", text);
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (num_real(copy, -1e9, 1e9, value, err))
        return err_set(err, STATUS_DATA, "'%s' is not a number", copy);
    return 0;
}

static int parse_mean_sd(const char *text, struct mean_sd *figure, struct err *err)
{
    *figure = unknown;
    if (strcmp(text, "-") == 0 || !*text)
        return 0;
    const char *mark = strstr(text, PLUS_MINUS);
    if (parse_number(text, mark ? (size_t)(mark - text) : strlen(text), &figure->mean, err))
        return -1;
    const char *sd = mark ? mark + strlen(PLUS_MINUS) : NULL;
    return sd ? parse_number(sd, strlen(sd), &figure->sd, err) : 0;
}

static int metric_of(const char *name)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        if (strcmp(metrics[i].name, name) == 0)
            return i;
    return -1;
}

static int find_columns(struct comparison *comparison, const struct tsv *paper, struct err *err)
{
    for (size_t i = 0; i < paper->columns; i++) {
        int metric = metric_of(paper->names[i]);
        if (metric >= 0)
            comparison->shown[metric] = 1;
        else if (strcmp(paper->names[i], "run") == 0)
            continue;
        else if (comparison->label_count == MAX_LABELS)
            return err_set(err, STATUS_DATA, "more than %d columns of labels", MAX_LABELS);
        else
            comparison->label_names[comparison->label_count++] = paper->names[i];
    }
    return 0;
}

static int read_row(struct comparison_row *row, const struct tsv *paper, size_t i, struct err *err)
{
    size_t labels = 0;
    for (int k = 0; k < METRIC_COUNT; k++)
        row->ours[k] = row->paper[k] = unknown;
    for (size_t c = 0; c < paper->columns; c++) {
        const char *cell = tsv_cell(paper, i, c);
        int metric = metric_of(paper->names[c]);
        if (metric >= 0 && parse_mean_sd(cell, &row->paper[metric], err))
            return err_prefix(err, "row %zu, %s", i + 1, paper->names[c]);
        if (strcmp(paper->names[c], "run") == 0)
            row->run = cell;
        else if (metric < 0)
            row->labels[labels++] = cell;
    }
    return 0;
}

/* ---- ours ---- */

/* A number of a summary's row; NaN when it has none. */
static double record_number(const struct tsv *record, const char *metric, const char *column)
{
    struct err err;
    double value;
    size_t at = tsv_column(record, column);
    if (at == record->columns)
        return NAN;
    for (size_t i = 0; i < record->rows; i++)
        if (strcmp(tsv_cell(record, i, 0), metric) == 0)
            return num_real(tsv_cell(record, i, at), -1e12, 1e12, &value, &err) ? NAN : value;
    return NAN;
}

static struct mean_sd summarize(const double *values, size_t n)
{
    double sum = 0, squares = 0;
    if (n == 0)
        return unknown;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return (struct mean_sd){mean, n > 1 ? sqrt(squares / (double)(n - 1)) : NAN};
}

static void summarize_row(struct comparison_row *row)
{
    for (int k = 0; k < METRIC_COUNT; k++) {
        double values[MAX_RUNS];
        size_t n = 0;
        for (size_t i = 0; i < row->record_count; i++) {
            double value =
                record_number(row->records[i], metrics[k].source, "mean") * metrics[k].factor;
            if (strcmp(record_status(row->records[i]), "ok") == 0 && !isnan(value))
                values[n++] = value;
        }
        row->ours[k] = summarize(values, n);
    }
}

/* Precision is defined where something is found. */
static void count_found(struct comparison_row *row)
{
    double images[MAX_RUNS], found[MAX_RUNS];
    size_t n = 0;
    for (size_t i = 0; i < row->record_count; i++) {
        images[n] = record_number(row->records[i], "dsc", "n");
        found[n] = record_number(row->records[i], "precision", "n");
        n += !isnan(images[n]) && !isnan(found[n]);
    }
    row->images = summarize(images, n).mean;
    row->found = summarize(found, n).mean;
}

static void compare_sides(struct comparison_row *row, const char *side)
{
    for (size_t i = 0; i < row->record_count && side; i++) {
        const char *ours = tsv_remark(row->records[i], "side");
        row->other_side |= ours && strcmp(ours, side) != 0;
    }
}

static void take_labels(const struct comparison *comparison, struct comparison_row *row)
{
    for (size_t i = 0; i < comparison->label_count; i++) {
        const char *ours =
            row->record_count ? tsv_remark(row->records[0], comparison->label_names[i]) : NULL;
        row->our_labels[i] = ours ? ours : row->labels[i];
    }
}

/* The label "dataset"; the same for all rows when there is none. */
static const char *dataset_of(const struct comparison *comparison, const struct comparison_row *row)
{
    for (size_t i = 0; i < comparison->label_count; i++)
        if (strcmp(comparison->label_names[i], "dataset") == 0)
            return row->labels[i];
    return "";
}

/* Whether a row's figure is one of finding cells: distances are 0 where nothing is found, and
 * overlaps where nothing is found well enough. */
static bool has_found(const struct comparison_row *row, int k)
{
    if (metrics[k].better > 0 && !(row->ours[k].mean > 0))
        return false;
    double least = metrics[k].better < 0 ? 0.95 * row->images : 0;
    return row->found > 0 && row->found >= least;
}

static void mark_best(struct comparison *comparison, struct comparison_row *row, int k)
{
    double value = row->ours[k].mean * metrics[k].better;
    row->best[k] = has_found(row, k) && !isnan(value);
    for (size_t i = 0; i < comparison->row_count && row->best[k]; i++) {
        const struct comparison_row *other = &comparison->rows[i];
        if (has_found(other, k) &&
            strcmp(dataset_of(comparison, other), dataset_of(comparison, row)) == 0)
            row->best[k] = !(other->ours[k].mean * metrics[k].better > value);
    }
}

static int collect(struct comparison_row *row, const struct tsv *records, size_t count,
                   struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *run = tsv_remark(&records[i], "run");
        if (!row->run || !run || strcmp(run, row->run) != 0)
            continue;
        if (row->record_count == MAX_RUNS)
            return err_set(err, STATUS_DATA, "more than %d records of '%s'", MAX_RUNS, run);
        row->records[row->record_count++] = &records[i];
        row->ok_count += strcmp(record_status(&records[i]), "ok") == 0;
    }
    summarize_row(row);
    count_found(row);
    return 0;
}

int comparison_new(struct comparison *comparison, const struct tsv *paper,
                   const struct tsv *records, size_t record_count, struct err *err)
{
    *comparison = (struct comparison){.row_count = paper->rows};
    comparison->rows = calloc(paper->rows ? paper->rows : 1, sizeof *comparison->rows);
    if (!comparison->rows)
        return err_memory(err, "a table");
    int result = find_columns(comparison, paper, err);
    for (size_t i = 0; result == 0 && i < paper->rows; i++) {
        struct comparison_row *row = &comparison->rows[i];
        result = read_row(row, paper, i, err);
        if (result == 0)
            result = collect(row, records, record_count, err);
        compare_sides(row, tsv_remark(paper, "side"));
        take_labels(comparison, row);
        comparison->knows_found |= row->found >= 0;
    }
    for (size_t i = 0; result == 0 && i < paper->rows; i++)
        for (int k = 0; k < METRIC_COUNT; k++)
            mark_best(comparison, &comparison->rows[i], k);
    if (result)
        comparison_free(comparison);
    return result;
}

void comparison_free(struct comparison *comparison)
{
    free(comparison->rows);
    *comparison = (struct comparison){0};
}
