#include "ops/scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/matching.h"

void scores_set(struct scores *scores, const char *name, double value)
{
    if (scores->count == SCORES_MAX_COLUMNS)
        return;
    struct score *column = &scores->columns[scores->count++];
    snprintf(column->name, sizeof column->name, "%s", name);
    column->value = value;
}

double scores_get(const struct scores *scores, const char *name)
{
    for (int i = 0; i < scores->count; i++)
        if (strcmp(scores->columns[i].name, name) == 0)
            return scores->columns[i].value;
    return NAN;
}

static void set_with(struct scores *scores, const char *name, const char *suffix, double value)
{
    char whole[24];
    snprintf(whole, sizeof whole, "%.11s%.12s", name, suffix);
    scores_set(scores, whole, value);
}

int scores_of_mask(struct scores *scores, const uint8_t *prediction, const uint8_t *truth,
                   size_t height, size_t width, const struct score_rules *rules, struct err *err)
{
    struct confusion confusion = {0};
    struct surface surface;
    confusion_add(&confusion, prediction, truth, height * width);
    if (surface_of(&surface, prediction, truth, height, width, rules->size_y, rules->size_x,
                   rules->convention, err))
        return -1;
    struct overlap overlap = overlap_of(&confusion, rules->convention);
    scores_set(scores, "dsc", overlap.dsc);
    scores_set(scores, "iou", overlap.iou);
    set_with(scores, "hd95", rules->unit, surface.hd95);
    set_with(scores, "hd", rules->unit, surface.hd);
    set_with(scores, "assd", rules->unit, surface.assd);
    scores_set(scores, "sensitivity", overlap.sensitivity);
    scores_set(scores, "specificity", overlap.specificity);
    scores_set(scores, "precision", overlap.precision);
    return 0;
}

/* ---- objects ---- */

static int set_at_half(struct scores *scores, const struct overlaps *overlaps,
                       enum convention convention, struct err *err)
{
    struct matching m;
    double aji;
    if (matching_at(&m, overlaps, 0.5, convention, err) ||
        matching_aji(&aji, overlaps, convention, err))
        return -1;
    double undefined = convention == CONVENTION_STARDIST ? 0 : NAN;
    scores_set(scores, "n_true", (double)(m.tp + m.fn));
    scores_set(scores, "n_pred", (double)(m.tp + m.fp));
    scores_set(scores, "aji", aji);
    scores_set(scores, "f1", matching_f1(&m, convention));
    scores_set(scores, "pq", matching_pq(&m, convention));
    scores_set(scores, "sq", m.tp ? m.iou_sum / (double)m.tp : undefined);
    return 0;
}

static int set_at(struct scores *scores, const struct overlaps *overlaps, double threshold,
                  enum convention convention, struct err *err)
{
    struct matching m;
    char percent[16];
    if (matching_at(&m, overlaps, threshold, convention, err))
        return -1;
    snprintf(percent, sizeof percent, "%.6g", 100 * threshold);
    set_with(scores, "ap", percent, matching_ap(&m, convention));
    set_with(scores, "tp", percent, (double)m.tp);
    set_with(scores, "fp", percent, (double)m.fp);
    set_with(scores, "fn", percent, (double)m.fn);
    return 0;
}

int scores_of_objects(struct scores *scores, const uint32_t *prediction, const uint32_t *truth,
                      size_t count, const struct score_rules *rules, struct err *err)
{
    struct overlaps overlaps;
    if (overlaps_of(&overlaps, truth, prediction, count, err))
        return -1;
    int rc = set_at_half(scores, &overlaps, rules->convention, err);
    for (int i = 0; rc == 0 && i < rules->threshold_count; i++)
        rc = set_at(scores, &overlaps, rules->thresholds[i], rules->convention, err);
    overlaps_free(&overlaps);
    return rc;
}

/* ---- probabilities ---- */

void scores_of_calibration(struct scores *scores, const struct calibration *calibration)
{
    scores_set(scores, "ece", calibration_ece(calibration));
    scores_set(scores, "brier", calibration_brier(calibration));
}

void scores_of_risk(struct scores *scores, const struct risk *risk)
{
    scores_set(scores, "risk80", risk_at(risk, 0.8));
    scores_set(scores, "risk90", risk_at(risk, 0.9));
    scores_set(scores, "aurc", risk_area(risk));
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

const struct summary_column *summary_find(const struct summary *summary, const char *name)
{
    for (int i = 0; i < summary->count; i++)
        if (strcmp(summary->columns[i].name, name) == 0)
            return &summary->columns[i];
    return NULL;
}
