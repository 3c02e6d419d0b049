#include "objects/regions.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "objects/skeleton.h"

#define PI 3.14159265358979323846

/* ---- boxes ---- */

static void add_run(struct box *box, size_t y, size_t begin, size_t end)
{
    box->bottom = y + 1;
    box->left = begin < box->left ? begin : box->left;
    box->right = end > box->right ? end : box->right;
    box->area += end - begin;
    box->runs++;
}

/* list: of struct box */
static int add_row(struct growing *list, struct intmap *numbers, const uint32_t *row, size_t width,
                   size_t y, struct err *err)
{
    for (size_t x = 0; x < width;) {
        uint32_t label = row[x];
        size_t begin = x++;
        while (x < width && row[x] == label)
            x++;
        if (label == 0)
            continue;
        struct box box = {label, y, begin, y + 1, x, 0, 0, 0};
        uint64_t *number = intmap_at(numbers, label, err);
        if (!number || (*number == 0 && growing_add(list, &box, err)))
            return -1;
        *number = *number ? *number : list->count;
        add_run((struct box *)list->items + *number - 1, y, begin, x);
    }
    return 0;
}

int boxes_of(struct boxes *boxes, const uint32_t *labels, size_t height, size_t width,
             struct err *err)
{
    struct growing list = {.size = sizeof(struct box)};
    int rc = 0;
    *boxes = (struct boxes){0};
    for (size_t y = 0; rc == 0 && y < height; y++)
        rc = add_row(&list, &boxes->numbers, labels + y * width, width, y, err);
    boxes->items = list.items;
    boxes->count = list.count;
    if (rc)
        boxes_free(boxes);
    return rc;
}

void boxes_free(struct boxes *boxes)
{
    free(boxes->items);
    intmap_free(&boxes->numbers);
    *boxes = (struct boxes){0};
}

static int compare_areas(const void *a, const void *b)
{
    uint64_t x = ((const struct box *)a)->area, y = ((const struct box *)b)->area;
    return (x > y) - (x < y);
}

void boxes_sort_by_area(struct boxes *boxes)
{
    if (boxes->count)
        qsort(boxes->items, boxes->count, sizeof *boxes->items, compare_areas);
}

int labels_median_area(const uint32_t *labels, size_t height, size_t width, uint64_t *median,
                       struct err *err)
{
    struct boxes boxes;
    *median = 0;
    if (boxes_of(&boxes, labels, height, width, err))
        return -1;
    boxes_sort_by_area(&boxes);
    if (boxes.count)
        *median = boxes.items[(boxes.count - 1) / 2].area;
    boxes_free(&boxes);
    return 0;
}

/* ---- one object in its box, with a margin of one background pixel ---- */

struct view {
    uint8_t *mask;
    size_t height, width;
    const struct run *runs; /* of its pixels */
    size_t count;
};

void region_room_free(struct region_room *room)
{
    spill_free(&room->mask);
    spill_free(&room->work);
    spill_free(&room->list);
    free(room->points);
    *room = (struct region_room){0};
}

static int reserve_box(struct region_room *room, size_t pixels, struct err *err)
{
    spill_free(&room->mask);
    spill_free(&room->work);
    room->box_room = 0;
    if (spill_new(&room->mask, pixels + SKELETON_SLACK, err) || spill_new(&room->work, pixels, err))
        return -1;
    room->box_room = pixels;
    return 0;
}

static int reserve_list(struct region_room *room, size_t pixels, struct err *err)
{
    spill_free(&room->list);
    room->list_room = 0;
    if (spill_new(&room->list, pixels * sizeof(uint32_t), err))
        return -1;
    room->list_room = pixels;
    return 0;
}

static int reserve(struct region_room *room, const struct box *box, struct err *err)
{
    size_t pixels = (box->bottom - box->top + 2) * (box->right - box->left + 2);
    if (pixels >= UINT32_MAX)
        return err_set(err, STATUS_DATA, "an object of %zu x %zu pixels", box->right - box->left,
                       box->bottom - box->top);
    if (pixels > room->box_room && reserve_box(room, pixels, err))
        return -1;
    return box->area > room->list_room ? reserve_list(room, box->area, err) : 0;
}

static void set_pixels(const struct view *v, uint8_t *pixels, int value)
{
    for (const struct run *run = v->runs; run < v->runs + v->count; run++)
        memset(pixels + run->y * v->width + run->begin, value, run->end - run->begin);
}

static struct view cut_out(const struct box *box, struct run *runs, uint8_t *mask)
{
    struct view v = {mask, box->bottom - box->top + 2, box->right - box->left + 2, runs, box->runs};
    uint32_t up = (uint32_t)box->top - 1, left = (uint32_t)box->left - 1;
    for (struct run *run = runs; run < runs + box->runs; run++)
        *run = (struct run){run->y - up, run->begin - left, run->end - left};
    set_pixels(&v, mask, 1);
    return v;
}

/* ---- moments ---- */

struct moments {
    double count, y, x, yy, xy, xx; /* means; second ones about the centroid */
};

/* Of the squares of 0 to n - 1. */
static uint64_t sum_of_squares(uint64_t n)
{
    return n ? (n - 1) * n * (2 * n - 1) / 6 : 0;
}

static struct moments moments_of(const struct view *v)
{
    double n = 0, sy = 0, sx = 0, syy = 0, sxy = 0, sxx = 0;
    for (const struct run *run = v->runs; run < v->runs + v->count; run++) {
        uint64_t begin = run->begin, end = run->end;
        double y = run->y, count = (double)(end - begin);
        double x = (double)((end - begin) * (begin + end - 1) / 2);
        n += count;
        sy += y * count;
        sx += x;
        syy += y * y * count;
        sxy += y * x;
        sxx += (double)(sum_of_squares(end) - sum_of_squares(begin));
    }
    double my = sy / n, mx = sx / n;
    return (struct moments){n, my, mx, syy / n - my * my, sxy / n - my * mx, sxx / n - mx * mx};
}

static void set_ellipse(struct region *r, const struct moments *m)
{
    double half = (m->yy + m->xx) / 2, off = hypot((m->xx - m->yy) / 2, m->xy);
    double large = half + off, small = fmax(0, half - off);
    r->major_axis = 4 * sqrt(large);
    r->minor_axis = 4 * sqrt(small);
    r->eccentricity = large > 0 ? sqrt(1 - small / large) : 0;
    r->orientation = off > 0 ? atan2(2 * m->xy, m->xx - m->yy) / 2 : 0;
}

/* ---- perimeter ---- */

/* What a border pixel adds, by its straight and diagonal border neighbors:
 * 2 for each straight one, 10 for each diagonal one, 1 for itself. */
static double border_weight(int code)
{
    switch (code) {
    case 5:
    case 7:
    case 15:
    case 17:
    case 25:
    case 27:
        return 1;
    case 21:
    case 33:
        return sqrt(2);
    case 13:
    case 23:
        return (1 + sqrt(2)) / 2;
    default:
        return 0;
    }
}

/* Pixels with a neighbor, of four, in the background. */
static void mark_border(const struct view *v, uint8_t *border)
{
    for (const struct run *run = v->runs; run < v->runs + v->count; run++)
        for (size_t i = run->y * v->width + run->begin, x = run->begin; x < run->end; i++, x++) {
            const uint8_t *m = v->mask + i;
            border[i] = !(m[-1] & m[1] & *(m - v->width) & m[v->width]);
        }
}

static double perimeter_of(const struct view *v, uint8_t *border)
{
    size_t w = v->width;
    uint64_t codes[50] = {0};
    double sum = 0;
    mark_border(v, border);
    for (const struct run *run = v->runs; run < v->runs + v->count; run++)
        for (size_t x = run->begin; x < run->end; x++) {
            const uint8_t *b = border + run->y * w + x;
            if (*b)
                codes[1 + 2 * (b[-1] + b[1] + *(b - w) + b[w]) +
                      10 * (*(b - w - 1) + *(b - w + 1) + b[w - 1] + b[w + 1])]++;
        }
    set_pixels(v, border, 0);
    for (int i = 0; i < 50; i++)
        sum += (double)codes[i] * border_weight(i);
    return sum;
}

/* ---- convex hull ---- */

/* In half pixels, so that the middles of pixels' sides are whole numbers. */
struct point {
    int64_t y, x;
};

static int64_t turn(struct point a, struct point b, struct point c)
{
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

/* One side of the hull, on points sorted by y; side +1 or -1. */
static size_t chain(const struct point *from, size_t count, int side, struct point *hull)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        while (n >= 2 && side * turn(hull[n - 2], hull[n - 1], from[i]) <= 0)
            n--;
        hull[n++] = from[i];
    }
    return n;
}

/* The middles of the outer sides of each row's first (side 0) or last (1) pixel,
 * sorted by y; above and below each row the pixel's own middle. */
static size_t side_points(const struct view *v, int side, struct point *points)
{
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++) {
        const struct run *run = v->runs + i;
        bool outermost =
            side ? i + 1 == v->count || run[1].y > run->y : i == 0 || run[-1].y < run->y;
        if (!outermost)
            continue;
        int64_t py = 2 * (int64_t)run->y, px = 2 * (int64_t)(side ? run->end - 1 : run->begin);
        struct point top = {py - 1, px}, outer = {py, px + (side ? 1 : -1)}, low = {py + 1, px};
        /* A row's top and the last one's bottom share their y: the outer one comes last
         * in the chain, which keeps it and drops the other. */
        if (count > 0 && points[count - 1].y == top.y) {
            bool further = side ? top.x > points[count - 1].x : top.x < points[count - 1].x;
            if (further)
                points[count - 1] = top;
        } else {
            points[count++] = top;
        }
        points[count++] = outer;
        points[count++] = low;
    }
    return count;
}

struct hull {
    struct point *left, *right; /* chains from the top to the bottom */
    struct point *ring;         /* room for both, one after the other */
    size_t left_count, right_count;
};

static int hull_of(struct hull *h, const struct view *v, struct region_room *room, struct err *err)
{
    size_t most = 3 * v->height, need = 5 * most * sizeof(struct point);
    if (need > room->points_room) {
        free(room->points);
        room->points = malloc(need);
        room->points_room = room->points ? need : 0;
        if (!room->points)
            return err_memory(err, "a convex hull");
    }
    struct point *points = room->points;
    h->left = points + most;
    h->right = points + 2 * most;
    h->ring = points + 3 * most;
    h->left_count = chain(points, side_points(v, 0, points), -1, h->left);
    h->right_count = chain(points, side_points(v, 1, points), 1, h->right);
    return 0;
}

/* Where the chain is at height y, as a fraction with a positive denominator. */
static void chain_at(const struct point *c, size_t count, int64_t y, size_t *at, int64_t *numerator,
                     int64_t *denominator)
{
    while (*at + 2 < count && c[*at + 1].y < y)
        ++*at;
    struct point a = c[*at], b = c[*at + 1];
    *denominator = b.y - a.y;
    *numerator = a.x * *denominator + (b.x - a.x) * (y - a.y);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Pixels whose middle is in the hull or on its edge. */
static double hull_pixels(const struct hull *h, size_t height)
{
    double count = 0;
    size_t left = 0, right = 0;
    for (size_t y = 1; y + 1 < height; y++) {
        int64_t ln, ld, rn, rd;
        chain_at(h->left, h->left_count, 2 * (int64_t)y, &left, &ln, &ld);
        chain_at(h->right, h->right_count, 2 * (int64_t)y, &right, &rn, &rd);
        int64_t first = -floor_div(-ln, 2 * ld), last = floor_div(rn, 2 * rd);
        count += (double)(last >= first ? last - first + 1 : 0);
    }
    return count;
}

static double farthest(const struct point *all, size_t count)
{
    int64_t most = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++) {
            int64_t dy = all[i].y - all[k].y, dx = all[i].x - all[k].x;
            int64_t d = dy * dy + dx * dx;
            most = d > most ? d : most;
        }
    return sqrt((double)most) / 2;
}

/* The smallest width has an edge of the hull on one side. */
static double narrowest(const struct point *all, size_t count)
{
    double least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        struct point a = all[i], b = all[(i + 1) % count];
        double length = hypot((double)(b.x - a.x), (double)(b.y - a.y));
        int64_t most = 0;
        for (size_t k = 0; length > 0 && k < count; k++) {
            int64_t t = llabs(turn(a, b, all[k]));
            most = t > most ? t : most;
        }
        if (length > 0)
            least = fmin(least, (double)most / length);
    }
    return least / 2;
}

static void set_ferets(struct region *r, const struct hull *h)
{
    size_t count = 0;
    for (size_t i = 0; i < h->left_count; i++)
        h->ring[count++] = h->left[i];
    for (size_t i = h->right_count; i-- > 0;)
        h->ring[count++] = h->right[i];
    r->feret_max = farthest(h->ring, count);
    r->feret_min = narrowest(h->ring, count);
}

/* ---- all of it ---- */

int region_measure(struct region *region, const struct box *box, struct run *runs,
                   struct region_room *room, struct err *err)
{
    struct region *r = region;
    struct hull hull = {0};
    struct skeleton skeleton;
    double area = (double)box->area;
    *r = (struct region){.box = *box};
    if (reserve(room, box, err))
        return -1;
    struct view v = cut_out(box, runs, room->mask.data);
    struct moments m = moments_of(&v);
    r->y = (double)box->top + m.y - 1;
    r->x = (double)box->left + m.x - 1;
    set_ellipse(r, &m);
    r->equivalent_diameter = sqrt(4 * area / PI);
    r->perimeter = perimeter_of(&v, room->work.data);
    r->circularity = r->perimeter > 0 ? 4 * PI * area / (r->perimeter * r->perimeter) : NAN;
    if (hull_of(&hull, &v, room, err))
        return -1;
    r->solidity = area / hull_pixels(&hull, v.height);
    set_ferets(r, &hull);
    r->mean_probability = r->mean_uncertainty = NAN;
    for (int c = 0; c < REGION_MAX_CHANNELS; c++)
        r->mean[c] = r->sd[c] = NAN;
    skeleton_thin(v.mask, v.height, v.width, v.runs, v.count, room->list.data);
    skeleton_measure(v.mask, v.width, v.runs, v.count, &skeleton);
    set_pixels(&v, v.mask, 0);
    r->skeleton_length = skeleton.length;
    r->branch_ends = skeleton.ends;
    r->branch_points = skeleton.points;
    return 0;
}

/* ---- as named numbers ---- */

static const char *const mean_names[REGION_MAX_CHANNELS] = {"mean_intensity1", "mean_intensity2",
                                                            "mean_intensity3", "mean_intensity4"};
static const char *const sd_names[REGION_MAX_CHANNELS] = {"sd_intensity1", "sd_intensity2",
                                                          "sd_intensity3", "sd_intensity4"};

int region_quantities(const struct region *region, int channels, struct quantity *to)
{
    const struct region *r = region;
    const struct quantity quantities[] = {
        {"x", r->x, QUANTITY_X},
        {"y", r->y, QUANTITY_Y},
        {"left", (double)r->box.left, QUANTITY_PLAIN},
        {"top", (double)r->box.top, QUANTITY_PLAIN},
        {"width", (double)(r->box.right - r->box.left), QUANTITY_PLAIN},
        {"height", (double)(r->box.bottom - r->box.top), QUANTITY_PLAIN},
        {"area", (double)r->box.area, QUANTITY_AREA},
        {"perimeter", r->perimeter, QUANTITY_LENGTH},
        {"equivalent_diameter", r->equivalent_diameter, QUANTITY_LENGTH},
        {"major_axis", r->major_axis, QUANTITY_LENGTH},
        {"minor_axis", r->minor_axis, QUANTITY_LENGTH},
        {"eccentricity", r->eccentricity, QUANTITY_PLAIN},
        {"orientation", r->orientation, QUANTITY_PLAIN},
        {"solidity", r->solidity, QUANTITY_PLAIN},
        {"circularity", r->circularity, QUANTITY_PLAIN},
        {"feret_max", r->feret_max, QUANTITY_LENGTH},
        {"feret_min", r->feret_min, QUANTITY_LENGTH},
        {"skeleton_length", r->skeleton_length, QUANTITY_LENGTH},
        {"branch_ends", r->branch_ends, QUANTITY_PLAIN},
        {"branch_points", r->branch_points, QUANTITY_PLAIN},
        {"mean_probability", r->mean_probability, QUANTITY_PLAIN},
        {"mean_uncertainty", r->mean_uncertainty, QUANTITY_PLAIN},
    };
    int count = (int)(sizeof quantities / sizeof *quantities);
    memcpy(to, quantities, sizeof quantities);
    for (int c = 0; c < channels; c++) {
        const char *mean = channels > 1 ? mean_names[c] : "mean_intensity";
        const char *sd = channels > 1 ? sd_names[c] : "sd_intensity";
        to[count++] = (struct quantity){mean, r->mean[c], QUANTITY_PLAIN};
        to[count++] = (struct quantity){sd, r->sd[c], QUANTITY_PLAIN};
    }
    return count;
}
