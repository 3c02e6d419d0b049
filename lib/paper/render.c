#include "paper/render.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The lines that a row has in a table to read. */
enum line { LINE_OURS, LINE_PAPER, LINE_DIFFERENCE, LINE_COUNT };

static const char *const line_names[] = {"ours", "paper", "difference"};

struct page {
    const struct comparison *comparison;
    bool html;
    FILE *to;
};

/* ---- text ---- */

static void put_html(const char *text, FILE *to)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", to);
        else if (*text == '>')
            fputs("&gt;", to);
        else if (*text == '&')
            fputs("&amp;", to);
        else
            putc(*text, to);
    }
}

static void put_text(const struct page *page, const char *text)
{
    if (page->html) {
        put_html(text, page->to);
        return;
    }
    for (; *text; text++) {
        if (*text == '|')
            putc('\\', page->to);
        putc(*text, page->to);
    }
}

static void put_cell(const struct page *page, const char *text, bool header)
{
    if (page->html)
        fputs(header ? "<th>" : "<td>", page->to);
    else
        fputs("| ", page->to);
    put_text(page, text);
    fputs(page->html ? "\n" : " ", page->to);
}

static void begin_row(const struct page *page, enum line line)
{
    if (page->html)
        fprintf(page->to, "<tr class=%s>", line_names[line]);
}

static void end_row(const struct page *page)
{
    fputs(page->html ? "</tr>\n" : "|\n", page->to);
}

/* ---- numbers ---- */

static void format_mean_sd(const struct mean_sd *figure, char *to, size_t size)
{
    if (isnan(figure->mean))
        snprintf(to, size, "–");
    else if (isnan(figure->sd))
        snprintf(to, size, "%.2f", figure->mean);
    else
        snprintf(to, size, "%.2f ± %.2f", figure->mean, figure->sd);
}

static void format_difference(double difference, char *to, size_t size)
{
    if (isnan(difference))
        snprintf(to, size, "–");
    else
        snprintf(to, size, "%s%.2f", difference < 0 ? "−" : "+", fabs(difference));
}

static bool in_pixels(int metric)
{
    return strcmp(metrics[metric].name, "HD95") == 0;
}

/* Ours less the paper's; NaN where they cannot be compared. */
static double difference_of(const struct comparison_row *row, int metric)
{
    return row->other_side && in_pixels(metric) ? NAN
                                                : row->ours[metric].mean - row->paper[metric].mean;
}

static void put_bold(const struct page *page, const char *text)
{
    fprintf(page->to, page->html ? "<td><b>%s</b>\n" : "| **%s** ", text);
}

static void put_metric(const struct page *page, const struct comparison_row *row, enum line line,
                       int metric)
{
    char text[64];
    if (line == LINE_DIFFERENCE)
        format_difference(difference_of(row, metric), text, sizeof text);
    else
        format_mean_sd(line == LINE_OURS ? &row->ours[metric] : &row->paper[metric], text,
                       sizeof text);
    if (line == LINE_OURS && row->best[metric])
        put_bold(page, text);
    else
        put_cell(page, text, false);
}

/* "3", "2 of 3", "failed" or "not run". */
static void format_runs(const struct comparison_row *row, char *to, size_t size)
{
    if (row->record_count == 0)
        snprintf(to, size, "not run");
    else if (row->ok_count == 0)
        snprintf(to, size, "failed");
    else if (row->ok_count < row->record_count)
        snprintf(to, size, "%zu of %zu", row->ok_count, row->record_count);
    else
        snprintf(to, size, "%zu", row->ok_count);
}

/* "236 of 236": images in which something was found, of one run. */
static void format_found(const struct comparison_row *row, char *to, size_t size)
{
    if (isnan(row->found) || isnan(row->images))
        snprintf(to, size, "–");
    else
        snprintf(to, size, "%.0f of %.0f", row->found, row->images);
}

/* ---- the table ---- */

static void put_header(const struct page *page)
{
    const struct comparison *comparison = page->comparison;
    char text[64];
    size_t columns = comparison->label_count + 2;
    if (page->html)
        fputs("<table>\n<tr>", page->to);
    for (size_t i = 0; i < comparison->label_count; i++)
        put_cell(page, comparison->label_names[i], true);
    put_cell(page, "", true);
    for (int k = 0; k < METRIC_COUNT; k++) {
        if (!comparison->shown[k])
            continue;
        snprintf(text, sizeof text, "%s %s", metrics[k].name, metrics[k].better > 0 ? "↑" : "↓");
        put_cell(page, text, true);
        columns++;
    }
    if (comparison->knows_found) {
        put_cell(page, "found in", true);
        columns++;
    }
    put_cell(page, "runs", true);
    end_row(page);
    for (size_t i = 0; !page->html && i < columns; i++)
        fputs("|---", page->to);
    if (!page->html)
        fputs("|\n", page->to);
}

static void put_line(const struct page *page, const struct comparison_row *row, enum line line)
{
    const struct comparison *comparison = page->comparison;
    char runs[64] = "", found[64] = "";
    begin_row(page, line);
    for (size_t i = 0; i < comparison->label_count; i++)
        put_cell(page,
                 line == LINE_OURS ? row->our_labels[i]
                 : line == LINE_PAPER && strcmp(row->our_labels[i], row->labels[i]) != 0
                     ? row->labels[i]
                     : "",
                 false);
    put_cell(page, line_names[line], false);
    for (int k = 0; k < METRIC_COUNT; k++)
        if (comparison->shown[k])
            put_metric(page, row, line, k);
    if (line == LINE_OURS) {
        format_runs(row, runs, sizeof runs);
        format_found(row, found, sizeof found);
    }
    if (comparison->knows_found)
        put_cell(page, found, false);
    put_cell(page, runs, false);
    end_row(page);
}

/* ---- where the figures come from ---- */

static const char *remark_or(const struct tsv *record, const char *name)
{
    const char *value = tsv_remark(record, name);
    return value ? value : "unknown";
}

static bool same_origin(const struct tsv *a, const struct tsv *b)
{
    return strcmp(remark_or(a, "device"), remark_or(b, "device")) == 0 &&
           strcmp(remark_or(a, "date"), remark_or(b, "date")) == 0 &&
           strcmp(remark_or(a, "commit"), remark_or(b, "commit")) == 0;
}

static void begin_note(const struct page *page)
{
    fputs(page->html ? "<li>" : "- ", page->to);
}

/* Whether a record before the i-th of that row has the same origin. */
static bool origin_is_known(const struct comparison *comparison, size_t row, size_t i)
{
    const struct tsv *record = comparison->rows[row].records[i];
    for (size_t r = 0; r <= row; r++)
        for (size_t k = 0; k < (r == row ? i : comparison->rows[r].record_count); k++)
            if (same_origin(comparison->rows[r].records[k], record))
                return true;
    return false;
}

static void put_origins(const struct page *page)
{
    const struct comparison *comparison = page->comparison;
    for (size_t r = 0; r < comparison->row_count; r++)
        for (size_t i = 0; i < comparison->rows[r].record_count; i++) {
            const struct tsv *record = comparison->rows[r].records[i];
            if (origin_is_known(comparison, r, i))
                continue;
            begin_note(page);
            put_text(page, "Ours: ");
            put_text(page, remark_or(record, "device"));
            put_text(page, ", ");
            put_text(page, remark_or(record, "date"));
            put_text(page, ", commit ");
            put_text(page, remark_or(record, "commit"));
            putc('\n', page->to);
        }
}

static void put_seeds(const struct page *page)
{
    const struct comparison *comparison = page->comparison;
    const struct comparison_row *most = NULL;
    for (size_t r = 0; r < comparison->row_count; r++)
        if (!most || comparison->rows[r].record_count > most->record_count)
            most = &comparison->rows[r];
    if (!most || most->record_count == 0)
        return;
    begin_note(page);
    put_text(page, most->record_count > 1
                       ? "Ours are means ± sample standard deviations over runs with the seeds "
                       : "Ours are of one run with the seed ");
    for (size_t i = 0; i < most->record_count; i++) {
        put_text(page, i ? ", " : "");
        put_text(page, remark_or(most->records[i], "seed"));
    }
    putc('\n', page->to);
}

static void put_reading(const struct page *page)
{
    bool other_side = false, any_best = false;
    for (size_t r = 0; r < page->comparison->row_count; r++) {
        const struct comparison_row *row = &page->comparison->rows[r];
        other_side |= row->other_side;
        for (int k = 0; k < METRIC_COUNT; k++)
            any_best |= row->best[k];
    }
    if (any_best) {
        begin_note(page);
        put_text(page,
                 "Bold: the best of ours that found something, for HD95 in at least 95 % of the "
                 "images, since it is 0 where nothing is found\n");
    }
    if (other_side) {
        begin_note(page);
        put_text(page, "HD95: in pixels of our tiles, which have another side than the paper's, so "
                       "that there is no difference to give\n");
    }
}

static void put_failures(const struct page *page)
{
    const struct comparison *comparison = page->comparison;
    for (size_t r = 0; r < comparison->row_count; r++)
        for (size_t i = 0; i < comparison->rows[r].record_count; i++) {
            const struct tsv *record = comparison->rows[r].records[i];
            if (strcmp(record_status(record), "ok") == 0)
                continue;
            begin_note(page);
            put_text(page, comparison->rows[r].run);
            put_text(page, ", seed ");
            put_text(page, remark_or(record, "seed"));
            put_text(page, ", failed: ");
            put_text(page, record_status(record));
            putc('\n', page->to);
        }
}

static void render_page(const struct page *page, const char *title, const char *const *notes)
{
    if (title) {
        fputs(page->html ? "<h2>" : "## ", page->to);
        put_text(page, title);
        fputs(page->html ? "</h2>\n" : "\n\n", page->to);
    }
    put_header(page);
    for (size_t i = 0; i < page->comparison->row_count; i++)
        for (int line = 0; line < LINE_COUNT; line++)
            put_line(page, &page->comparison->rows[i], (enum line)line);
    fputs(page->html ? "</table>\n<ul>\n" : "\n", page->to);
    for (; notes && *notes; notes++) {
        begin_note(page);
        put_text(page, *notes);
        putc('\n', page->to);
    }
    put_reading(page);
    put_seeds(page);
    put_origins(page);
    put_failures(page);
    if (page->html)
        fputs("</ul>\n", page->to);
}

/* ---- plain numbers ---- */

static void put_number(double value, FILE *to)
{
    if (isnan(value))
        fputs("\tnan", to);
    else
        fprintf(to, "\t%.6g", value);
}

static void put_list(const struct comparison_row *row, const char *name, FILE *to)
{
    putc('\t', to);
    for (size_t i = 0; i < row->record_count; i++)
        if (i == 0 ||
            strcmp(remark_or(row->records[i], name), remark_or(row->records[i - 1], name)) != 0)
            fprintf(to, "%s%s", i ? "; " : "", remark_or(row->records[i], name));
}

static void render_tsv(const struct comparison *comparison, FILE *to)
{
    static const char *const origins[] = {"seed", "device", "date", "commit", "status"};
    for (size_t i = 0; i < comparison->label_count; i++)
        fprintf(to, "%s\t", comparison->label_names[i]);
    fputs("run\truns", to);
    for (int k = 0; k < METRIC_COUNT; k++)
        if (comparison->shown[k])
            fprintf(to, "\t%s\t%s_sd\t%s_paper\t%s_paper_sd\t%s_difference", metrics[k].name,
                    metrics[k].name, metrics[k].name, metrics[k].name, metrics[k].name);
    fputs("\tseeds\tdevice\tdate\tcommit\tstatus\timages\tfound\n", to);
    for (size_t r = 0; r < comparison->row_count; r++) {
        const struct comparison_row *row = &comparison->rows[r];
        for (size_t i = 0; i < comparison->label_count; i++)
            fprintf(to, "%s\t", row->labels[i]);
        fprintf(to, "%s\t%zu", row->run ? row->run : "", row->ok_count);
        for (int k = 0; k < METRIC_COUNT; k++) {
            if (!comparison->shown[k])
                continue;
            put_number(row->ours[k].mean, to);
            put_number(row->ours[k].sd, to);
            put_number(row->paper[k].mean, to);
            put_number(row->paper[k].sd, to);
            put_number(difference_of(row, k), to);
        }
        for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
            put_list(row, origins[i], to);
        put_number(row->images, to);
        put_number(row->found, to);
        putc('\n', to);
    }
}

void render(const struct comparison *comparison, enum render_format format, const char *title,
            const char *const *notes, FILE *to)
{
    if (format == RENDER_TSV) {
        render_tsv(comparison, to);
        return;
    }
    struct page page = {.comparison = comparison, .html = format == RENDER_HTML, .to = to};
    render_page(&page, title, notes);
}
