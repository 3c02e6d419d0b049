#include "scores/report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/num.h"
#include "core/text.h"
#include "core/tsv.h"

/* ---- JSON ---- */

static void json_number(FILE *to, double value)
{
    if (isfinite(value))
        fprintf(to, "%.10g", value);
    else
        fputs("null", to);
}

static void json_row(const struct scores_report *r, const char *name, int class,
                     const struct scores *row)
{
    fprintf(r->to, "%s\n{\"name\":", r->printed ? "," : "");
    text_put_json_string(r->to, name);
    if (r->classes)
        fprintf(r->to, ",\"class\":%d", class);
    for (int i = 0; i < row->count; i++) {
        fprintf(r->to, ",\"%s\":", row->columns[i].name);
        json_number(r->to, row->columns[i].value);
    }
    putc('}', r->to);
}

static void json_summary(const struct scores_report *r)
{
    fprintf(r->to, "%s],\n\"summary\":{", r->printed ? "\n" : "");
    for (int i = 0; i < r->summary.count; i++) {
        const struct summary_column *c = &r->summary.columns[i];
        fprintf(r->to, "%s\n\"%s\":{\"mean\":", i ? "," : "", c->name);
        json_number(r->to, c->count ? c->mean : NAN);
        fputs(",\"sd\":", r->to);
        json_number(r->to, summary_sd(c));
        fprintf(r->to, ",\"n\":%" PRIu64 "}", c->count);
    }
    fputs("}}\n", r->to);
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

void scores_report_row(struct scores_report *report, const char *name, int class,
                       const struct scores *row)
{
    summary_add(&report->summary, row);
    if (report->json)
        json_row(report, name, class, row);
    else if (report->rows)
        tsv_row(report, name, class, row);
    report->printed++;
}

void scores_report_end(struct scores_report *report)
{
    if (report->json)
        json_summary(report);
    else if (report->summarise)
        tsv_summary(report);
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
