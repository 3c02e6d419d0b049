#include "scores/summary.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void scores_set(struct scores *scores, const char *name, double value)
{
    if (scores->count == SCORES_MAX_COLUMNS)
        return;
    struct score *column = &scores->columns[scores->count++];
    snprintf(column->name, sizeof column->name, "%s", name);
    column->value = value;
}

static double scores_get(const struct scores *scores, const char *name)
{
    for (int i = 0; i < scores->count; i++)
        if (strcmp(scores->columns[i].name, name) == 0)
            return scores->columns[i].value;
    return NAN;
}

/* ---- summaries ---- */

static struct summary_column *column_of(struct summary *summary, const char *name)
{
    for (int i = 0; i < summary->count; i++)
        if (strcmp(summary->columns[i].name, name) == 0)
            return &summary->columns[i];
    if (summary->count == SCORES_MAX_COLUMNS)
        return NULL;
    struct summary_column *column = &summary->columns[summary->count++];
    *column = (struct summary_column){.count = 0};
    snprintf(column->name, sizeof column->name, "%s", name);
    return column;
}

static void add_value(struct summary *summary, const char *name, double value)
{
    struct summary_column *column = column_of(summary, name);
    if (!column || isnan(value))
        return;
    column->count++;
    double off = value - column->mean;
    column->mean += off / (double)column->count;
    column->squares += off * (value - column->mean);
}

/* A row that has map already is a summary of a run: its IoU is a mean of many. */
static void add_shares(struct summary *summary, const struct scores *row)
{
    double iou = scores_get(row, "iou"), sum = 0;
    static const int percents[] = {50, 75, 90};
    for (int i = 0; i < 3; i++) {
        char name[24];
        double reached = isnan(iou) ? NAN : iou >= percents[i] / 100.0;
        snprintf(name, sizeof name, "iou%d", percents[i]);
        add_value(summary, name, reached);
        sum += reached;
    }
    add_value(summary, "map", sum / 3);
}

static bool has(const struct scores *row, const char *name)
{
    for (int i = 0; i < row->count; i++)
        if (strcmp(row->columns[i].name, name) == 0)
            return true;
    return false;
}

void summary_add(struct summary *summary, const struct scores *row)
{
    for (int i = 0; i < row->count; i++)
        add_value(summary, row->columns[i].name, row->columns[i].value);
    if (has(row, "iou") && !has(row, "map"))
        add_shares(summary, row);
}

double summary_sd(const struct summary_column *column)
{
    return column->count > 1 ? sqrt(column->squares / (double)(column->count - 1)) : NAN;
}

void summary_row(const struct summary *summary, struct scores *row)
{
    row->count = 0;
    for (int i = 0; i < summary->count; i++)
        scores_set(row, summary->columns[i].name,
                   summary->columns[i].count ? summary->columns[i].mean : NAN);
}
