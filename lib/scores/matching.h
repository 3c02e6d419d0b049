/* Objects of two label images against each other: overlaps kept sparse, pairs by
 * optimal matching, counts, AP, F1, panoptic quality, aggregated Jaccard index. */
#ifndef SCORES_MATCHING_H
#define SCORES_MATCHING_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "scores/metrics.h"

/* Objects are numbered 0, 1, ... in the order in which they are first seen. */
struct label_pair {
    uint32_t truth, prediction;
    uint64_t shared; /* pixels */
    double iou;
};

struct overlaps {
    uint64_t *truth_area, *prediction_area;
    uint32_t truth_count, prediction_count; /* distinct labels */
    uint32_t truth_max, prediction_max;     /* largest labels */
    uint64_t union_area;                    /* pixels of any object */
    struct label_pair *pairs; /* those that share a pixel, by truth, then prediction */
    size_t pair_count;
};

/* Label images of `count` pixels, 0 background.  The caller frees it. */
int overlaps_of(struct overlaps *overlaps, const uint32_t *truth, const uint32_t *prediction,
                size_t count, struct err *err) MUST_CHECK;
void overlaps_free(struct overlaps *overlaps);

struct matching {
    uint64_t tp, fp, fn; /* matched pairs, predictions and true objects without a match */
    double iou_sum;      /* of the matched pairs */
};

/* One-to-one matching that has the most pairs with IoU >= threshold and, of those,
 * the largest sum of IoU (as scipy's linear_sum_assignment finds for StarDist and
 * Cellpose), by shortest augmenting paths over the pairs that are there. */
int matching_at(struct matching *matching, const struct overlaps *overlaps, double threshold,
                enum convention convention, struct err *err) MUST_CHECK;

/* TP / (TP + FP + FN); 2 TP / (2 TP + FP + FN); sum of IoU / (TP + FP / 2 + FN / 2)
 * (Kirillov et al. 2019).  Without any object NaN, in StarDist's convention 0. */
double matching_ap(const struct matching *matching, enum convention convention);
double matching_f1(const struct matching *matching, enum convention convention);
double matching_pq(const struct matching *matching, enum convention convention);

/* Aggregated Jaccard index with one-to-one matching: pixels shared by matched
 * pairs over their unions and the areas of all objects without a match (Kumar et
 * al. 2017, matched as AJI+ of Graham et al. 2019).  Cellpose's: shared pixels of
 * the matching at IoU 0.5, extended to all pairs, over all pixels of any object. */
int matching_aji(double *aji, const struct overlaps *overlaps, enum convention convention,
                 struct err *err) MUST_CHECK;

/* The general problem: for each left node its partner among the right nodes, or
 * UINT32_MAX, so that the sum of the weights is largest.  Edges are sorted by
 * left; weights above 0.  partner: left_count values out. */
struct edge {
    uint32_t left, right;
    double weight;
};
int matching_solve(const struct edge *edges, size_t edge_count, uint32_t left_count,
                   uint32_t right_count, uint32_t *partner, struct err *err) MUST_CHECK;

#endif
