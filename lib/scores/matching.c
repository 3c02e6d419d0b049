#include "scores/matching.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/growing.h"
#include "core/intmap.h"

#define NOBODY UINT32_MAX

/* ---- overlaps ---- */

/* Distinct labels numbered in the order in which they come. */
struct objects {
    struct intmap numbers; /* label -> number + 1 */
    uint64_t *area;
    uint32_t count, max;
    uint32_t last_label, last_number;
};

static int add_object(struct objects *o, uint32_t label, struct err *err)
{
    if (growing_room(&o->area, o->count, sizeof *o->area, err))
        return -1;
    o->area[o->count++] = 0;
    o->max = label > o->max ? label : o->max;
    return 0;
}

/* The number of `label`, which is not 0, into o->last_number. */
static int number_of(struct objects *o, uint32_t label, struct err *err)
{
    if (label == o->last_label)
        return 0;
    uint64_t *value = intmap_at(&o->numbers, label, err);
    if (!value || (*value == 0 && add_object(o, label, err)))
        return -1;
    if (*value == 0)
        *value = o->count;
    o->last_label = label;
    o->last_number = (uint32_t)(*value - 1);
    return 0;
}

/* `run` pixels of one pair of labels. */
static int add_run(struct objects *truth, struct objects *prediction, struct intmap *shared,
                   uint32_t t, uint32_t p, uint64_t run, struct err *err)
{
    if ((t && number_of(truth, t, err)) || (p && number_of(prediction, p, err)))
        return -1;
    if (t)
        truth->area[truth->last_number] += run;
    if (p)
        prediction->area[prediction->last_number] += run;
    if (!t || !p)
        return 0;
    uint64_t key = (uint64_t)truth->last_number << 32 | prediction->last_number;
    uint64_t *value = intmap_at(shared, key, err);
    if (value)
        *value += run;
    return value ? 0 : -1;
}

static int by_truth(const void *a, const void *b)
{
    const struct label_pair *p = a, *q = b;
    if (p->truth != q->truth)
        return p->truth < q->truth ? -1 : 1;
    return p->prediction < q->prediction ? -1 : p->prediction > q->prediction;
}

static int list_pairs(struct overlaps *o, const struct intmap *shared, struct err *err)
{
    o->pairs = malloc((shared->count + 1) * sizeof *o->pairs);
    if (!o->pairs)
        return err_memory(err, "pairs of objects");
    for (size_t i = 0; i < shared->room; i++) {
        if (shared->keys[i] == INTMAP_NO_KEY)
            continue;
        uint32_t t = (uint32_t)(shared->keys[i] >> 32), p = (uint32_t)shared->keys[i];
        uint64_t both = shared->values[i];
        uint64_t either = o->truth_area[t] + o->prediction_area[p] - both;
        o->pairs[o->pair_count++] = (struct label_pair){t, p, both, (double)both / (double)either};
    }
    qsort(o->pairs, o->pair_count, sizeof *o->pairs, by_truth);
    return 0;
}

int overlaps_of(struct overlaps *overlaps, const uint32_t *truth, const uint32_t *prediction,
                size_t count, struct err *err)
{
    struct objects t = {0}, p = {0};
    struct intmap shared = {0};
    int rc = 0;
    *overlaps = (struct overlaps){0};
    for (size_t i = 0; rc == 0 && i < count;) {
        size_t begin = i;
        while (i < count && truth[i] == truth[begin] && prediction[i] == prediction[begin])
            i++;
        if (truth[begin] || prediction[begin]) {
            overlaps->union_area += i - begin;
            rc = add_run(&t, &p, &shared, truth[begin], prediction[begin], i - begin, err);
        }
    }
    overlaps->truth_area = t.area;
    overlaps->prediction_area = p.area;
    overlaps->truth_count = t.count;
    overlaps->prediction_count = p.count;
    overlaps->truth_max = t.max;
    overlaps->prediction_max = p.max;
    rc = rc == 0 ? list_pairs(overlaps, &shared, err) : -1;
    intmap_free(&t.numbers);
    intmap_free(&p.numbers);
    intmap_free(&shared);
    if (rc)
        overlaps_free(overlaps);
    return rc;
}

void overlaps_free(struct overlaps *overlaps)
{
    free(overlaps->truth_area);
    free(overlaps->prediction_area);
    free(overlaps->pairs);
    *overlaps = (struct overlaps){0};
}

/* ---- assignment ---- */

struct entry {
    double distance;
    uint32_t right;
};

/* Minimum-cost assignment by shortest augmenting paths with potentials (Jonker and
 * Volgenant 1987) on a sparse graph; cost = -weight, and each left node may stay
 * alone at cost 0. */
struct solver {
    const struct edge *edges;
    size_t *first; /* left -> its first edge; left_count + 1 */
    double *left_potential, *right_potential;
    uint32_t *left_of, *right_of; /* the matching: right -> left, left -> right */
    double *distance;             /* of a right node, valid when seen == round */
    uint32_t *seen, *previous;    /* previous: the left node it was reached from */
    uint32_t round;
    struct entry *heap;
    size_t heap_count;
    uint32_t *done; /* right nodes whose distance is final */
    size_t done_count;
};

static void heap_push(struct solver *s, struct entry entry)
{
    size_t i = s->heap_count++;
    while (i > 0 && s->heap[(i - 1) / 2].distance > entry.distance) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = entry;
}

static struct entry heap_pop(struct solver *s)
{
    struct entry top = s->heap[0], last = s->heap[--s->heap_count];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < s->heap_count) {
        child += child + 1 < s->heap_count && s->heap[child + 1].distance < s->heap[child].distance;
        if (s->heap[child].distance >= last.distance)
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = last;
    return top;
}

/* Where the shortest path ends: at a free right node, or at a left node that
 * becomes alone. */
struct ending {
    double distance;
    uint32_t right, left; /* right is NOBODY when `left` becomes alone */
};

/* A free right node ends the path as soon as it is seen, and what is no nearer than the
 * best ending is never looked at: where many pairs weigh the same, as in noise, all of
 * them are equally far. */
static void relax(struct solver *s, uint32_t left, double distance, struct ending *best)
{
    for (size_t e = s->first[left]; e < s->first[left + 1]; e++) {
        uint32_t right = s->edges[e].right;
        if (right == s->right_of[left])
            continue;
        double reduced = -s->edges[e].weight - s->left_potential[left] - s->right_potential[right];
        double to = distance + fmax(reduced, 0);
        if (to >= best->distance || (s->seen[right] == s->round && s->distance[right] <= to))
            continue;
        s->seen[right] = s->round;
        s->distance[right] = to;
        s->previous[right] = left;
        if (s->left_of[right] == NOBODY)
            *best = (struct ending){to, right, NOBODY};
        else
            heap_push(s, (struct entry){to, right});
    }
}

static struct ending shortest_path(struct solver *s, uint32_t root)
{
    struct ending best = {-s->left_potential[root], NOBODY, root};
    s->heap_count = s->done_count = 0;
    s->round++;
    relax(s, root, 0, &best);
    while (s->heap_count > 0) {
        struct entry top = heap_pop(s);
        if (top.distance >= best.distance)
            break;
        if (top.distance > s->distance[top.right])
            continue;
        uint32_t left = s->left_of[top.right];
        s->done[s->done_count++] = top.right;
        if (top.distance - s->left_potential[left] < best.distance)
            best = (struct ending){top.distance - s->left_potential[left], NOBODY, left};
        relax(s, left, top.distance, &best);
    }
    return best;
}

static void update_potentials(struct solver *s, uint32_t root, double distance)
{
    s->left_potential[root] += distance;
    for (size_t i = 0; i < s->done_count; i++) {
        uint32_t right = s->done[i];
        double change = distance - s->distance[right];
        if (change <= 0)
            continue;
        s->right_potential[right] -= change;
        s->left_potential[s->left_of[right]] += change;
    }
}

static void augment(struct solver *s, uint32_t root, struct ending ending)
{
    uint32_t right = ending.right;
    if (right == NOBODY) {
        if (ending.left == root)
            return;
        right = s->right_of[ending.left];
        s->right_of[ending.left] = NOBODY;
    }
    for (;;) {
        uint32_t left = s->previous[right], next = s->right_of[left];
        s->left_of[right] = left;
        s->right_of[left] = right;
        if (left == root)
            return;
        right = next;
    }
}

static void match_left(struct solver *s, uint32_t left)
{
    double potential = 0;
    for (size_t e = s->first[left]; e < s->first[left + 1]; e++)
        potential = fmin(potential, -s->edges[e].weight - s->right_potential[s->edges[e].right]);
    s->left_potential[left] = potential;
    struct ending ending = shortest_path(s, left);
    update_potentials(s, left, ending.distance);
    augment(s, left, ending);
}

static void solver_free(struct solver *s)
{
    void *all[] = {s->first,    s->left_potential, s->right_potential, s->left_of, s->right_of,
                   s->distance, s->seen,           s->previous,        s->heap,    s->done};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static int solver_init(struct solver *s, const struct edge *edges, size_t count, size_t left,
                       size_t right, struct err *err)
{
    *s = (struct solver){.edges = edges};
    s->first = calloc(left + 2, sizeof *s->first);
    s->left_potential = calloc(left + 1, sizeof *s->left_potential);
    s->right_potential = calloc(right + 1, sizeof *s->right_potential);
    s->left_of = malloc((right + 1) * sizeof *s->left_of);
    s->right_of = malloc((left + 1) * sizeof *s->right_of);
    s->distance = calloc(right + 1, sizeof *s->distance);
    s->seen = calloc(right + 1, sizeof *s->seen);
    s->previous = calloc(right + 1, sizeof *s->previous);
    s->heap = calloc(count + 1, sizeof *s->heap);
    s->done = calloc(right + 1, sizeof *s->done);
    if (!s->first || !s->left_potential || !s->right_potential || !s->left_of || !s->right_of ||
        !s->distance || !s->seen || !s->previous || !s->heap || !s->done)
        return err_memory(err, "matching objects");
    for (size_t i = 0; i < right; i++)
        s->left_of[i] = NOBODY;
    for (size_t i = 0; i < left; i++)
        s->right_of[i] = NOBODY;
    for (size_t e = 0; e < count; e++)
        s->first[edges[e].left + 1]++;
    for (size_t i = 0; i < left; i++)
        s->first[i + 1] += s->first[i];
    return 0;
}

int matching_solve(const struct edge *edges, size_t edge_count, uint32_t left_count,
                   uint32_t right_count, uint32_t *partner, struct err *err)
{
    struct solver s;
    int rc = solver_init(&s, edges, edge_count, left_count, right_count, err);
    if (rc == 0) {
        for (uint32_t i = 0; i < left_count; i++)
            match_left(&s, i);
        for (uint32_t i = 0; i < left_count; i++)
            partner[i] = s.right_of[i];
    }
    solver_free(&s);
    return rc;
}

/* ---- label images ---- */

/* How many objects the convention counts: Cellpose takes the largest label. */
static uint64_t truth_count(const struct overlaps *o, enum convention convention)
{
    return convention == CONVENTION_CELLPOSE ? o->truth_max : o->truth_count;
}

static uint64_t prediction_count(const struct overlaps *o, enum convention convention)
{
    return convention == CONVENTION_CELLPOSE ? o->prediction_max : o->prediction_count;
}

typedef double weight_of(const struct label_pair *pair, double threshold, double fewer);

/* A pair more counts for more than all that IoU can add up to. */
static double count_then_iou(const struct label_pair *pair, double threshold, double fewer)
{
    return pair->iou >= threshold ? 1 + pair->iou / (2 * fewer) : 0;
}

static double count_at_half_then_iou(const struct label_pair *pair, double threshold, double fewer)
{
    return (pair->iou >= threshold) + pair->iou / (2 * fewer);
}

static double only_iou(const struct label_pair *pair, double threshold, double fewer)
{
    (void)threshold;
    (void)fewer;
    return pair->iou;
}

/* *partner is new: for each true object the predicted one. */
static int match(const struct overlaps *o, weight_of *weigh, double threshold, uint32_t **partner,
                 struct err *err)
{
    double fewer = fmin(o->truth_count, o->prediction_count);
    struct edge *edges = malloc((o->pair_count + 1) * sizeof *edges);
    *partner = malloc(((size_t)o->truth_count + 1) * sizeof **partner);
    size_t count = 0;
    for (size_t i = 0; edges && i < o->pair_count; i++) {
        const struct label_pair *pair = &o->pairs[i];
        double weight = weigh(pair, threshold, fewer);
        if (weight > 0)
            edges[count++] = (struct edge){pair->truth, pair->prediction, weight};
    }
    int rc = edges && *partner
                 ? matching_solve(edges, count, o->truth_count, o->prediction_count, *partner, err)
                 : err_memory(err, "matching objects");
    free(edges);
    return rc;
}

int matching_at(struct matching *matching, const struct overlaps *overlaps, double threshold,
                enum convention convention, struct err *err)
{
    uint32_t *partner = NULL;
    int rc = match(overlaps, count_then_iou, threshold, &partner, err);
    *matching = (struct matching){0};
    for (size_t i = 0; rc == 0 && i < overlaps->pair_count; i++) {
        const struct label_pair *pair = &overlaps->pairs[i];
        if (partner[pair->truth] != pair->prediction)
            continue;
        matching->tp++;
        matching->iou_sum += pair->iou;
    }
    matching->fp = prediction_count(overlaps, convention) - matching->tp;
    matching->fn = truth_count(overlaps, convention) - matching->tp;
    free(partner);
    return rc;
}

static double over_objects(double part, double whole, enum convention convention)
{
    if (whole > 0)
        return part / whole;
    return convention == CONVENTION_STARDIST ? 0 : NAN;
}

double matching_ap(const struct matching *m, enum convention convention)
{
    return over_objects((double)m->tp, (double)(m->tp + m->fp + m->fn), convention);
}

double matching_f1(const struct matching *m, enum convention convention)
{
    return over_objects(2 * (double)m->tp, (double)(2 * m->tp + m->fp + m->fn), convention);
}

double matching_pq(const struct matching *m, enum convention convention)
{
    return over_objects(m->iou_sum, (double)m->tp + (double)(m->fp + m->fn) / 2, convention);
}

int matching_aji(double *aji, const struct overlaps *overlaps, enum convention convention,
                 struct err *err)
{
    bool cellpose = convention == CONVENTION_CELLPOSE;
    uint32_t *partner = NULL;
    if (match(overlaps, cellpose ? count_at_half_then_iou : only_iou, 0.5, &partner, err)) {
        free(partner);
        return -1;
    }
    uint64_t shared = 0, areas = 0;
    for (uint32_t i = 0; i < overlaps->truth_count; i++)
        areas += overlaps->truth_area[i];
    for (uint32_t i = 0; i < overlaps->prediction_count; i++)
        areas += overlaps->prediction_area[i];
    for (size_t i = 0; i < overlaps->pair_count; i++)
        if (partner[overlaps->pairs[i].truth] == overlaps->pairs[i].prediction)
            shared += overlaps->pairs[i].shared;
    /* A matched pair's union is its areas less what it shares. */
    uint64_t whole = cellpose ? overlaps->union_area : areas - shared;
    *aji = over_objects((double)shared, (double)whole, convention);
    free(partner);
    return 0;
}
