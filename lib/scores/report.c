#include "scores/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "core/json.h"
#include "core/num.h"
#include "core/text.h"
#include "core/tsv.h"

/* ---- JSON ---- */

/* Ten digits; what is not defined is null. */
static json_t *number(double value)
{
    if (!isfinite(value))
        return json_null();
    bool is_whole = value == floor(value) && fabs(value) < 1e10;
    return is_whole ? json_integer((json_int_t)value) : json_real(value);
}

/* Takes the object over. */
static int dump(const struct scores_report *r, json_t *object, struct err *err)
{
    int rc = object ? json_dumpf(object, r->to,
                                 JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(10))
                    : -1;
    json_decref(object);
    return rc && !ferror(r->to) ? err_memory(err, "JSON") : 0;
}

static int json_row(const struct scores_report *r, const char *name, int class,
                    const struct scores *row, struct err *err)
{
    json_t *object = json_object();
    int failed = json_object_set_new(object, "name", json_from_text(name));
    if (r->classes)
        failed |= json_object_set_new(object, "class", json_integer(class));
    for (int i = 0; i < row->count; i++)
        failed |= json_object_set_new(object, row->columns[i].name, number(row->columns[i].value));
    fputs(r->printed ? ",\n" : "\n", r->to);
    if (!failed)
        return dump(r, object, err);
    json_decref(object);
    return err_memory(err, "JSON");
}

static json_t *summary_of(const struct summary_column *column)
{
    return json_pack("{s:o, s:o, s:I}", "mean", number(column->count ? column->mean : NAN), "sd",
                     number(summary_sd(column)), "n", (json_int_t)column->count);
}

static int json_summary(const struct scores_report *r, struct err *err)
{
    json_t *object = json_object();
    int failed = 0;
    for (int i = 0; i < r->summary.count; i++)
        failed |= json_object_set_new(object, r->summary.columns[i].name,
                                      summary_of(&r->summary.columns[i]));
    fprintf(r->to, "%s],\n\"summary\":", r->printed ? "\n" : "");
    if (failed) {
        json_decref(object);
        return err_memory(err, "JSON");
    }
    if (dump(r, object, err))
        return -1;
    fputs("}\n", r->to);
    return 0;
}

/* ---- TSV ---- */

static void tsv_number(FILE *to, double value)
{
    fprintf(to, isnan(value) ? "\tnan" : "\t%.10g", value);
}

static void tsv_row(const struct scores_report *r, const char *name, int class,
                    const struct scores *row)
{
    if (r->printed == 0) {
        fputs(r->classes ? "name\tclass" : "name", r->to);
        for (int i = 0; i < row->count; i++)
            fprintf(r->to, "\t%s", row->columns[i].name);
        putc('\n', r->to);
    }
    text_put(r->to, name);
    if (r->classes)
        fprintf(r->to, "\t%d", class);
    for (int i = 0; i < row->count; i++)
        tsv_number(r->to, row->columns[i].value);
    putc('\n', r->to);
}

static void tsv_summary(const struct scores_report *r)
{
    fputs("metric\tmean\tsd\tn\n", r->to);
    for (int i = 0; i < r->summary.count; i++) {
        const struct summary_column *c = &r->summary.columns[i];
        fputs(c->name, r->to);
        tsv_number(r->to, c->count ? c->mean : NAN);
        tsv_number(r->to, summary_sd(c));
        fprintf(r->to, "\t%" PRIu64 "\n", c->count);
    }
}

/* ---- a report ---- */

void scores_report_begin(struct scores_report *report)
{
    if (report->json)
        fprintf(report->to, "{\"convention\":\"%s\",\n\"images\":[", report->convention);
}

int scores_report_row(struct scores_report *report, const char *name, int class,
                      const struct scores *row, struct err *err)
{
    int rc = 0;
    summary_add(&report->summary, row);
    if (report->json)
        rc = json_row(report, name, class, row, err);
    else if (report->rows)
        tsv_row(report, name, class, row);
    report->printed++;
    return rc;
}

int scores_report_end(struct scores_report *report, struct err *err)
{
    if (report->json)
        return json_summary(report, err);
    if (report->summarize)
        tsv_summary(report);
    return 0;
}

/* ---- tables of numbers ---- */

int scores_write_curve(const char *path, const struct risk *risk, struct err *err)
{
    static const char *const names[] = {"coverage", "risk"};
    double values[100][2];
    for (int i = 0; i < 100; i++) {
        values[i][0] = (i + 1) / 100.0;
        values[i][1] = risk_at(risk, values[i][0]);
    }
    return tsv_write(path, names, 2, values[0], 100, err);
}

int scores_write_reliability(const char *path, const struct calibration *c, struct err *err)
{
    static const char *const names[] = {"from", "to", "pixels", "confidence", "accuracy"};
    double values[CALIBRATION_BINS][5];
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        double n = (double)c->count[i], width = 1.0 / CALIBRATION_BINS;
        values[i][0] = i * width;
        values[i][1] = (i + 1) * width;
        values[i][2] = n;
        values[i][3] = n > 0 ? c->confidence[i] / n : NAN;
        values[i][4] = n > 0 ? (double)c->correct[i] / n : NAN;
    }
    return tsv_write(path, names, 5, values[0], CALIBRATION_BINS, err);
}

/* ---- tables of runs ---- */

static int parse_cell(const struct tsv *tsv, size_t row, size_t column, double *value,
                      struct err *err)
{
    const char *cell = tsv_cell(tsv, row, column);
    *value = NAN;
    return strcmp(cell, "nan") == 0 || strcmp(cell, "-nan") == 0
               ? 0
               : num_real(cell, -1e300, 1e300, value, err);
}

static int add_rows(struct summary *run, const struct tsv *tsv, struct err *err)
{
    for (size_t i = 0; i < tsv->rows; i++) {
        struct scores row = {.count = 0};
        for (size_t c = 1; c < tsv->columns; c++) {
            double value;
            if (strcmp(tsv->names[c], "class") == 0)
                continue;
            if (parse_cell(tsv, i, c, &value, err)) {
                err->status = STATUS_DATA;
                return err_prefix(err, "row %zu", i + 1);
            }
            scores_set(&row, tsv->names[c], value);
        }
        summary_add(run, &row);
    }
    return 0;
}

int scores_of_run(struct scores *means, const char *path, struct err *err)
{
    struct summary run = {.count = 0};
    struct tsv tsv;
    if (tsv_read(&tsv, path, err))
        return -1;
    int rc = 0;
    if (tsv.columns < 2 || strcmp(tsv.names[0], "name") != 0)
        rc = err_set(err, STATUS_DATA, "read '%s': not a table of score(1)", path);
    else if (add_rows(&run, &tsv, err))
        rc = err_prefix(err, "read '%s'", path);
    tsv_free(&tsv);
    summary_row(&run, means);
    return rc;
}
