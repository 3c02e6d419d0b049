#include "objects/flows.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "core/parallel.h"
#include "core/spill.h"
#include "core/target.h"
#include "objects/morphology.h"
#include "objects/regions.h"
#include "objects/ridges.h"

int flow_target_named(const char *name, enum flow_target *target, struct err *err)
{
    *target = strcmp(name, "distance") == 0 ? FLOW_DISTANCE : FLOW_DIFFUSION;
    if (*target == FLOW_DISTANCE || !*name || strcmp(name, "diffusion") == 0)
        return 0;
    return err_set(err, STATUS_DATA, "flows of an unknown kind, '%s'", name);
}

/* ---- flows of labels ---- */

/* One object in its box, with a margin of one pixel.  `now` becomes a hill, up which its pixels
 * flow. */
struct heat {
    enum flow_target target;
    double least; /* slope that has a direction */
    size_t height, width, room;
    float *inside; /* 1 or 0 */
    double *now, *next;
};

static void heat_free(struct heat *h)
{
    free(h->inside);
    free(h->now);
    free(h->next);
}

static int heat_reserve(struct heat *h, const struct box *box, struct err *err)
{
    h->height = box->bottom - box->top + 2;
    h->width = box->right - box->left + 2;
    size_t need = h->height * h->width;
    if (need > h->room) {
        heat_free(h);
        h->inside = malloc(need * sizeof *h->inside);
        h->now = malloc(need * sizeof *h->now);
        h->next = malloc(need * sizeof *h->next);
        h->room = h->inside && h->now && h->next ? need : 0;
    }
    return h->room ? 0 : err_memory(err, "the flow of an object");
}

static void heat_load(struct heat *h, const struct box *box, const uint32_t *labels, size_t width)
{
    size_t count = h->height * h->width;
    memset(h->inside, 0, count * sizeof *h->inside);
    memset(h->now, 0, count * sizeof *h->now);
    memset(h->next, 0, count * sizeof *h->next);
    for (size_t y = box->top; y < box->bottom; y++)
        for (size_t x = box->left; x < box->right; x++)
            h->inside[(y - box->top + 1) * h->width + x - box->left + 1] =
                labels[y * width + x] == box->label;
}

/* The object's pixel nearest to its centroid. */
static size_t middle_of(const struct heat *h)
{
    double n = 0, sy = 0, sx = 0, least = INFINITY;
    size_t count = h->height * h->width, best = 0;
    for (size_t i = 0; i < count; i++) {
        n += h->inside[i];
        sy += h->inside[i] * (double)(i / h->width);
        sx += h->inside[i] * (double)(i % h->width);
    }
    for (size_t i = 0; i < count; i++) {
        double dy = (double)(i / h->width) - sy / n, dx = (double)(i % h->width) - sx / n;
        if (h->inside[i] > 0 && dy * dy + dx * dx < least) {
            least = dy * dy + dx * dx;
            best = i;
        }
    }
    return best;
}

CLONES(static, void, spread_row,
       (const double *restrict above, const double *restrict row, const double *restrict below,
        const float *restrict inside, size_t width, double *restrict to),
       (above, row, below, inside, width, to))
{
    for (size_t x = 1; x + 1 < width; x++) {
        double left = above[x - 1] + row[x - 1] + below[x - 1];
        double middle = above[x] + row[x] + below[x];
        double right = above[x + 1] + row[x + 1] + below[x + 1];
        to[x] = (left + middle + right) * ((double)inside[x] / 9);
    }
}

static void diffuse(struct heat *h, size_t middle, size_t steps)
{
    size_t w = h->width;
    for (size_t step = 0; step < steps; step++) {
        h->now[middle] += 1;
        for (size_t y = 1; y + 1 < h->height; y++)
            spread_row(h->now + (y - 1) * w, h->now + y * w, h->now + (y + 1) * w,
                       h->inside + y * w, w, h->next + y * w);
        double *spare = h->now;
        h->now = h->next;
        h->next = spare;
    }
}

struct step {
    float y, x;
};

/* The direction in which the hill grows, of length 1. */
static struct step gradient_at(const struct heat *h, size_t i)
{
    const double *t = h->now;
    size_t w = h->width;
    double dy = t[i + w] - t[i - w], dx = t[i + 1] - t[i - 1];
    double length = hypot(dy, dx);
    return length > h->least ? (struct step){(float)(dy / length), (float)(dx / length)}
                             : (struct step){0, 0};
}

/* The pixel of the image that is pixel i of the box. */
static size_t place_of(const struct heat *h, const struct box *box, size_t width, size_t i)
{
    return (box->top + i / h->width - 1) * width + box->left + i % h->width - 1;
}

static int heat_object(struct heat *h, const struct box *box, const uint32_t *labels, size_t width,
                       struct err *err)
{
    if (heat_reserve(h, box, err))
        return -1;
    heat_load(h, box, labels, width);
    if (h->target == FLOW_DISTANCE) {
        h->least = RIDGE_FLAT;
        return ridge_hill(h->inside, h->height, h->width, h->now, err);
    }
    diffuse(h, middle_of(h), 2 * (h->height + h->width - 4));
    for (size_t i = 0; i < h->height * h->width; i++)
        h->now[i] = log1p(h->now[i]);
    return 0;
}

static void store_gradient(const struct heat *h, const struct box *box, size_t height, size_t width,
                           float *flow)
{
    for (size_t i = 0; i < h->height * h->width; i++) {
        if (h->inside[i] == 0)
            continue;
        struct step step = gradient_at(h, i);
        size_t at = place_of(h, box, width, i);
        flow[at] = step.y;
        flow[height * width + at] = step.x;
    }
}

int flows_of_labels(const uint32_t *labels, size_t height, size_t width, enum flow_target target,
                    float *flow, struct err *err)
{
    struct boxes boxes;
    struct heat heat = {.target = target};
    if (boxes_of(&boxes, labels, height, width, err))
        return -1;
    memset(flow, 0, 2 * height * width * sizeof *flow);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < boxes.count; i++) {
        rc = heat_object(&heat, &boxes.items[i], labels, width, err);
        if (rc == 0)
            store_gradient(&heat, &boxes.items[i], height, width, flow);
    }
    heat_free(&heat);
    boxes_free(&boxes);
    return rc;
}

/* ---- following flows ---- */

/* The pixels that move, and where they are.  Arrays may lie in a file. */
struct swarm {
    size_t count;
    struct spill start, end; /* uint32: pixel, and its pixel after the last step */
};

static void swarm_free(struct swarm *s)
{
    spill_free(&s->start);
    spill_free(&s->end);
}

/* Cellpose leaves what does not move; on a ridge pixels have arrived. */
static bool is_mover(const float *flow, size_t i, size_t count, const struct flow_options *options)
{
    return options->target == FLOW_DISTANCE ||
           fabsf(flow[i]) + fabsf(flow[count + i]) > 1e-3f * options->scale;
}

static int find_movers(struct swarm *s, const float *flow, const float *cell, size_t count,
                       const struct flow_options *options, struct err *err)
{
    double threshold = options->cell_threshold;
    *s = (struct swarm){0};
    for (size_t i = 0; i < count; i++)
        s->count += cell[i] > threshold;
    if (spill_new(&s->start, s->count * sizeof(uint32_t), err) ||
        spill_new(&s->end, s->count * sizeof(uint32_t), err)) {
        swarm_free(s);
        return -1;
    }
    uint32_t *start = s->start.data;
    s->count = 0;
    for (size_t i = 0; i < count; i++)
        if (cell[i] > threshold && is_mover(flow, i, count, options))
            start[s->count++] = (uint32_t)i;
    return 0;
}

/* Steps of a pixel a unit long; [y, x] interleaved, 0 where no cell is. */
static void fill_steps(float *steps, const float *flow, const float *cell, size_t count,
                       const struct flow_options *options)
{
    float scale = options->scale;
    for (size_t i = 0; i < count; i++) {
        bool moves = cell[i] > options->cell_threshold;
        steps[2 * i] = moves && isfinite(flow[i]) ? flow[i] / scale : 0;
        steps[2 * i + 1] = moves && isfinite(flow[count + i]) ? flow[count + i] / scale : 0;
    }
}

/* So many pixels move side by side: each step of one waits for the step before it. */
#define LANES           16
#define DIFFUSION_STEPS 200
/* Pixels that a thread takes at once. */
#define AT_ONCE 4096
/* And objects, whose errors it finds. */
#define OBJECTS_AT_ONCE 16

/* Where pixels are. */
struct lanes {
    float y[LANES], x[LANES];
};

/* Moves them one step. */
ALWAYS_INLINE void step_lanes(const float *restrict steps, int height, int width,
                              const struct lanes *restrict from, struct lanes *restrict to)
{
    float bottom = (float)(height - 1), right = (float)(width - 1);
    for (int k = 0; k < LANES; k++) {
        int row = (int)from->y[k], column = (int)from->x[k];
        int64_t down = row + 1 < height ? 2 * (int64_t)width : 0;
        int64_t next = column + 1 < width ? 2 : 0;
        float v = from->y[k] - (float)row, u = from->x[k] - (float)column;
        int64_t at = 2 * ((int64_t)row * width + column);
        float a = (1 - v) * (1 - u), b = (1 - v) * u, c = v * (1 - u), d = v * u;
        float dy = a * steps[at] + b * steps[at + next] + c * steps[at + down] +
                   d * steps[at + down + next];
        float dx = a * steps[at + 1] + b * steps[at + next + 1] + c * steps[at + down + 1] +
                   d * steps[at + down + next + 1];
        float to_y = from->y[k] + dy, to_x = from->x[k] + dx;
        to_y = to_y < 0 ? 0 : to_y;
        to_x = to_x < 0 ? 0 : to_x;
        to->y[k] = to_y > bottom ? bottom : to_y;
        to->x[k] = to_x > right ? right : to_x;
    }
}

/* Most pixels go in a circle once they have arrived, exactly, in single precision: after a step
 * that leads where step `mark` has led all that follow are known.  Brent's way to see it: `mark`
 * moves to every power of two, from FIRST_MARK on.  The places since then are kept. */
#define FIRST_MARK 16
#define PLACES     256

/* The lanes that are now where they were then, a bit each. */
ALWAYS_INLINE unsigned same_lanes(const struct lanes *now, const struct lanes *then)
{
    unsigned same = 0;
    for (unsigned k = 0; k < LANES; k++)
        same |= (unsigned)(now->y[k] == then->y[k] && now->x[k] == then->x[k]) << k;
    return same;
}

/* The lanes `which` end at that place. */
static void take_lanes(struct lanes *ends, const struct lanes *place, unsigned which)
{
    for (unsigned k = 0; k < LANES; k++)
        if (which >> k & 1) {
            ends->y[k] = place->y[k];
            ends->x[k] = place->x[k];
        }
}

/* Moves the pixels `count` steps. */
CLONES(static, void, follow,
       (const float *restrict steps, int height, int width, struct lanes *lanes, int count),
       (steps, height, width, lanes, count))
{
    struct lanes places[PLACES]; /* of the steps since `mark` */
    unsigned waiting = (1u << LANES) - 1;
    int mark = 0;
    places[0] = *lanes;
    for (int i = 1; i <= count && waiting; i++) {
        struct lanes *now = &places[i - mark];
        step_lanes(steps, height, width, now - 1, now);
        unsigned same = i > FIRST_MARK ? same_lanes(now, &places[0]) & waiting : 0;
        if (same)
            take_lanes(lanes, &places[(count - i) % (i - mark)], same);
        waiting &= ~same;
        if (i == count)
            take_lanes(lanes, now, waiting);
        bool is_mark = i >= FIRST_MARK && (i & (i - 1)) == 0;
        if (is_mark || i - mark == PLACES - 1) {
            places[0] = *now;
            mark = i;
        }
    }
}

/* The pixels start[0..count), at most LANES of them. */
static void move_lanes(const uint32_t *start, uint32_t *end, size_t count, const float *steps,
                       size_t height, size_t width, int step_count)
{
    struct lanes lanes = {{0}, {0}};
    for (size_t k = 0; k < LANES; k++) {
        size_t pixel = start[k < count ? k : 0];
        lanes.y[k] = (float)(pixel / width);
        lanes.x[k] = (float)(pixel % width);
    }
    follow(steps, (int)height, (int)width, &lanes, step_count);
    for (size_t k = 0; k < count; k++)
        end[k] = (uint32_t)((size_t)(lanes.y[k] + 0.5f) * width + (size_t)(lanes.x[k] + 0.5f));
}

struct moving {
    const struct swarm *swarm;
    const float *steps;
    size_t height, width;
    int step_count;
};

static void move_range(void *context, size_t first, size_t last)
{
    const struct moving *m = context;
    const uint32_t *start = m->swarm->start.data;
    uint32_t *end = m->swarm->end.data;
    for (size_t i = first; i < last; i += LANES)
        move_lanes(start + i, end + i, last - i < LANES ? last - i : LANES, m->steps, m->height,
                   m->width, m->step_count);
}

/* The same of FLOW_DISTANCE. */
static void climb_range(void *context, size_t first, size_t last)
{
    const struct moving *m = context;
    const uint32_t *start = m->swarm->start.data;
    uint32_t *end = m->swarm->end.data;
    ridge_reach(m->steps, m->height, m->width, m->step_count, start + first, end + first,
                last - first);
}

static int move(struct swarm *s, const float *flow, const float *cell, size_t height, size_t width,
                const struct flow_options *options, struct err *err)
{
    struct spill steps;
    if (spill_new(&steps, 2 * height * width * sizeof(float), err))
        return -1;
    fill_steps(steps.data, flow, cell, height * width, options);
    bool ridges = options->target == FLOW_DISTANCE;
    int count = options->steps ? options->steps : ridges ? RIDGE_STEPS : DIFFUSION_STEPS;
    struct moving moving = {s, steps.data, height, width, count};
    parallel_ranges(s->count, AT_ONCE, ridges ? climb_range : move_range, &moving);
    spill_free(&steps);
    return 0;
}

/* ---- where they meet ---- */

#define MIN_PEAK   10 /* a peak has more pixels */
#define MIN_SPREAD 2  /* and grows over places that have more */
#define REACH      5  /* so many pixels far */

struct peak {
    size_t at;
    uint32_t height;
};

static int by_height(const void *a, const void *b)
{
    const struct peak *p = a, *q = b;
    if (p->height != q->height)
        return p->height < q->height ? -1 : 1;
    return p->at < q->at ? -1 : p->at > q->at;
}

/* Whether no place within 2 pixels has more. */
static bool is_peak(const uint32_t *histogram, size_t height, size_t width, size_t at)
{
    size_t y = at / width, x = at % width;
    size_t top = y > 2 ? y - 2 : 0, left = x > 2 ? x - 2 : 0;
    for (size_t v = top; v < height && v <= y + 2; v++)
        for (size_t u = left; u < width && u <= x + 2; u++)
            if (histogram[v * width + u] > histogram[at])
                return false;
    return true;
}

/* peaks: of struct peak */
static int find_peaks(const uint32_t *histogram, size_t height, size_t width, struct growing *peaks,
                      struct err *err)
{
    for (size_t i = 0; i < height * width; i++) {
        struct peak peak = {i, histogram[i]};
        if (histogram[i] > MIN_PEAK && is_peak(histogram, height, width, i) &&
            growing_add(peaks, &peak, err))
            return -1;
    }
    if (peaks->count)
        qsort(peaks->items, peaks->count, peaks->size, by_height);
    return 0;
}

#define WINDOW (2 * REACH + 1)

/* Grows the peak step by step inside a window about it and labels what it reaches. */
static void label_place(uint32_t *place, const uint32_t *histogram, size_t height, size_t width,
                        const struct peak *peak, uint32_t label)
{
    int64_t top = (int64_t)(peak->at / width) - REACH, left = (int64_t)(peak->at % width) - REACH;
    uint8_t reached[WINDOW + 2][WINDOW + 2] = {{0}};
    reached[REACH + 1][REACH + 1] = 1;
    for (int step = 1; step <= REACH; step++) {
        uint8_t before[WINDOW + 2][WINDOW + 2];
        memcpy(before, reached, sizeof before);
        for (int y = REACH + 1 - step; y <= REACH + 1 + step; y++)
            for (int x = REACH + 1 - step; x <= REACH + 1 + step; x++) {
                int64_t v = top + y - 1, u = left + x - 1;
                bool beside = false;
                for (int d = 0; d < 9; d++)
                    beside |= before[y + d / 3 - 1][x + d % 3 - 1];
                if (beside && v >= 0 && u >= 0 && v < (int64_t)height && u < (int64_t)width)
                    reached[y][x] |= histogram[(size_t)v * width + (size_t)u] > MIN_SPREAD;
            }
    }
    for (int y = 1; y <= WINDOW; y++)
        for (int x = 1; x <= WINDOW; x++)
            if (reached[y][x])
                place[(size_t)(top + y - 1) * width + (size_t)(left + x - 1)] = label;
}

/* histogram, place: height x width zeros. */
static int label_ends(const struct swarm *s, size_t height, size_t width, uint32_t *histogram,
                      uint32_t *place, uint32_t *labels, struct err *err)
{
    const uint32_t *start = s->start.data, *end = s->end.data;
    struct growing peaks = {.size = sizeof(struct peak)};
    for (size_t i = 0; i < s->count; i++)
        histogram[end[i]]++;
    int rc = find_peaks(histogram, height, width, &peaks, err);
    for (size_t i = 0; rc == 0 && i < peaks.count; i++)
        label_place(place, histogram, height, width, (struct peak *)peaks.items + i,
                    (uint32_t)i + 1);
    for (size_t i = 0; rc == 0 && i < s->count; i++)
        labels[start[i]] = place[end[i]];
    growing_free(&peaks);
    return rc;
}

static int gather(const struct swarm *s, size_t height, size_t width, uint32_t *labels,
                  struct err *err)
{
    struct spill histogram, place;
    size_t bytes = height * width * sizeof *labels;
    if (spill_new(&histogram, bytes, err))
        return -1;
    int rc = spill_new(&place, bytes, err);
    if (rc == 0) {
        rc = label_ends(s, height, width, histogram.data, place.data, labels, err);
        spill_free(&place);
    }
    spill_free(&histogram);
    return rc;
}

/* ---- what does not hold ---- */

static void erase(uint32_t *labels, size_t width, const struct box *box)
{
    for (size_t y = box->top; y < box->bottom; y++)
        for (size_t x = box->left; x < box->right; x++)
            if (labels[y * width + x] == box->label)
                labels[y * width + x] = 0;
}

/* Mean squared difference between a network's flow and the object's own. */
static double flow_error(const struct heat *h, const struct box *box, const float *flow,
                         size_t height, size_t width, float scale)
{
    double sum = 0;
    for (size_t i = 0; i < h->height * h->width; i++) {
        if (h->inside[i] == 0)
            continue;
        struct step own = gradient_at(h, i);
        size_t at = place_of(h, box, width, i);
        double dy = own.y - flow[at] / scale;
        double dx = own.x - flow[height * width + at] / scale;
        sum += dy * dy + dx * dx;
    }
    return sum / (double)box->area;
}

static int drop_large(uint32_t *labels, size_t height, size_t width, double max_share,
                      struct err *err)
{
    struct boxes boxes;
    if (boxes_of(&boxes, labels, height, width, err))
        return -1;
    for (size_t i = 0; i < boxes.count; i++)
        if ((double)boxes.items[i].area > max_share * (double)height * (double)width)
            erase(labels, width, &boxes.items[i]);
    boxes_free(&boxes);
    return 0;
}

/* The median area of the objects whose error is at most `most`, the upper one of two; 0 when
 * there is none. */
static int typical_area(const struct boxes *boxes, const double *errors, double most,
                        uint64_t *area, struct err *err)
{
    struct boxes good = {.items = malloc((boxes->count + 1) * sizeof *good.items)};
    if (!good.items)
        return err_memory(err, "the areas of objects");
    for (size_t i = 0; i < boxes->count; i++)
        if (errors[i] <= most)
            good.items[good.count++] = boxes->items[i];
    boxes_sort_by_area(&good);
    *area = good.count ? good.items[good.count / 2].area : 0;
    free(good.items);
    return 0;
}

struct errors { /* being found */
    const struct boxes *boxes;
    const uint32_t *labels;
    const float *flow;
    size_t height, width;
    const struct flow_options *options;
    double *errors;
    atomic_bool short_of_memory;
};

static void find_errors_of(void *context, size_t first, size_t last)
{
    struct errors *e = context;
    struct heat heat = {.target = e->options->target};
    struct err err;
    for (size_t i = first; i < last; i++) {
        if (heat_object(&heat, &e->boxes->items[i], e->labels, e->width, &err)) {
            e->short_of_memory = true;
            break;
        }
        e->errors[i] =
            flow_error(&heat, &e->boxes->items[i], e->flow, e->height, e->width, e->options->scale);
    }
    heat_free(&heat);
}

static int find_errors(const struct boxes *boxes, const uint32_t *labels, const float *flow,
                       size_t height, size_t width, const struct flow_options *options,
                       double *errors, struct err *err)
{
    struct errors all = {boxes, labels, flow, height, width, options, errors, false};
    parallel_ranges(boxes->count, OBJECTS_AT_ONCE, find_errors_of, &all);
    return all.short_of_memory ? err_memory(err, "the flow of an object") : 0;
}

/* Whether the object touches the image's border: part of it may not be seen, and its flow lead
 * there. */
static bool is_cut(const struct box *box, size_t height, size_t width)
{
    return box->top == 0 || box->left == 0 || box->bottom == height || box->right == width;
}

static int drop_wrong(uint32_t *labels, const float *flow, size_t height, size_t width,
                      const struct flow_options *options, struct err *err)
{
    double small = options->small_threshold;
    uint64_t typical = 0;
    struct boxes boxes;
    if (boxes_of(&boxes, labels, height, width, err))
        return -1;
    double *errors = malloc((boxes.count + 1) * sizeof *errors);
    int rc = errors ? find_errors(&boxes, labels, flow, height, width, options, errors, err)
                    : err_memory(err, "the errors of objects");
    if (rc == 0 && small > 0)
        rc = typical_area(&boxes, errors, small, &typical, err);
    for (size_t i = 0; rc == 0 && i < boxes.count; i++) {
        const struct box *box = &boxes.items[i];
        double most = options->flow_threshold;
        if (box->area < typical)
            most = options->cut_threshold > 0 && is_cut(box, height, width) ? options->cut_threshold
                                                                            : small;
        if (!(errors[i] <= most))
            erase(labels, width, box);
    }
    free(errors);
    boxes_free(&boxes);
    return rc;
}

int flows_to_labels(const float *flow, const float *cell, size_t height, size_t width,
                    const struct flow_options *options, uint32_t *labels, uint32_t *count,
                    struct err *err)
{
    struct swarm swarm;
    if (height * width >= UINT32_MAX || height > 1 << 24 || width > 1 << 24)
        return err_set(err, STATUS_DATA, "flows of %zu x %zu pixels are too many", width, height);
    memset(labels, 0, height * width * sizeof *labels);
    if (find_movers(&swarm, flow, cell, height * width, options, err))
        return -1;
    int rc = move(&swarm, flow, cell, height, width, options, err);
    if (rc == 0)
        rc = options->target == FLOW_DISTANCE
                 ? ridge_gather(swarm.start.data, swarm.end.data, swarm.count, height, width,
                                labels, err)
                 : gather(&swarm, height, width, labels, err);
    swarm_free(&swarm);
    if (rc == 0)
        rc = drop_large(labels, height, width, options->max_share, err);
    if (rc == 0 && options->flow_threshold > 0)
        rc = drop_wrong(labels, flow, height, width, options, err);
    return rc ? -1 : labels_renumber(labels, height, width, count, err);
}
