/* Outlines of labels along the edges of their pixels.
 *
 * Edges run clockwise on the screen, the object on their right.  Where two of its
 * pixels meet at a corner only, the walk turns right, which parts them; a ring
 * that comes to a corner twice all the same, around background that meets at a
 * corner, is cut in two there.  So rings are simple, outer ones are clockwise and
 * holes are not, and a hole touches its outer ring at most in single points, as
 * OGC polygons may. */
#include <stdlib.h>
#include <string.h>

#include "annot/annot.h"
#include "core/growing.h"

struct point {
    int64_t x, y;
};

struct tracer {
    const uint32_t *labels;
    size_t stride; /* labels of a row */
    struct box box;
    uint8_t *walked;       /* a bit a pixel of the box: its upper edge was */
    struct growing points; /* of struct point: corners of the ring, y down */
    struct growing rings;  /* of struct traced */
};

struct traced {
    struct annot_ring ring;
    double area; /* positive when clockwise: an outer ring */
    double x, y; /* the center of a pixel of the object beside its first edge */
    double low[2], high[2];
    bool given; /* its points are a piece's now */
};

/* ---- pixels ---- */

static bool is_inside(const struct tracer *t, int64_t x, int64_t y)
{
    return x >= (int64_t)t->box.left && y >= (int64_t)t->box.top && x < (int64_t)t->box.right &&
           y < (int64_t)t->box.bottom &&
           t->labels[(size_t)y * t->stride + (size_t)x] == t->box.label;
}

static size_t bit_of(const struct tracer *t, int64_t x, int64_t y)
{
    return ((size_t)y - t->box.top) * (t->box.right - t->box.left) + ((size_t)x - t->box.left);
}

/* ---- one ring ---- */

enum direction { EAST, SOUTH, WEST, NORTH };

static struct point step(struct point p, enum direction d)
{
    static const int dx[] = {1, 0, -1, 0}, dy[] = {0, 1, 0, -1};
    return (struct point){p.x + dx[d], p.y + dy[d]};
}

/* Whether the pixel ahead of a corner is the object's, on the right or the left of
 * the way. */
static bool is_ahead(const struct tracer *t, struct point p, enum direction d, bool right)
{
    static const int right_x[] = {0, -1, -1, 0}, right_y[] = {0, 0, -1, -1};
    int i = right ? d : (d + 3) % 4;
    return is_inside(t, p.x + right_x[i], p.y + right_y[i]);
}

static enum direction turn(const struct tracer *t, struct point p, enum direction d)
{
    if (!is_ahead(t, p, d, true))
        return (d + 1) % 4;
    return is_ahead(t, p, d, false) ? (d + 3) % 4 : d;
}

/* Walks from the upper left corner of a pixel eastwards until it comes back. */
static int walk(struct tracer *t, struct point start, struct err *err)
{
    struct point p = start;
    enum direction d = EAST;
    t->points.count = 0;
    do {
        if (d == EAST)
            t->walked[bit_of(t, p.x, p.y) / 8] |= (uint8_t)(1 << bit_of(t, p.x, p.y) % 8);
        p = step(p, d);
        enum direction next = turn(t, p, d);
        if (next != d && growing_add(&t->points, &p, err))
            return -1;
        d = next;
    } while (p.x != start.x || p.y != start.y || d != EAST);
    return 0;
}

/* Twice the area, positive when clockwise with y down. */
static double area_of(const struct point *p, size_t n)
{
    double sum = 0;
    for (size_t i = 0, j = n - 1; i < n; j = i++)
        sum += (double)p[j].x * (double)p[i].y - (double)p[i].x * (double)p[j].y;
    return sum / 2;
}

/* A pixel inside a clockwise ring or around another, at its first eastward edge. */
static void note_pixel(struct traced *traced, const struct point *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct point *a = &p[i], *b = &p[(i + 1) % n];
        if (a->y == b->y && a->x < b->x) {
            traced->x = (double)a->x + 0.5;
            traced->y = (double)a->y + 0.5;
            return;
        }
    }
}

static int add_ring(struct tracer *t, const struct point *p, size_t n, struct err *err)
{
    struct traced traced = {.area = area_of(p, n), .low = {1e300, 1e300}, .high = {-1, -1}};
    traced.ring.points = malloc(2 * n * sizeof *traced.ring.points);
    if (!traced.ring.points)
        return err_memory(err, "an outline");
    for (size_t i = 0; i < n; i++) {
        double at[2] = {(double)p[i].x, (double)p[i].y};
        for (int k = 0; k < 2; k++) {
            traced.ring.points[2 * i + (size_t)k] = at[k];
            traced.low[k] = at[k] < traced.low[k] ? at[k] : traced.low[k];
            traced.high[k] = at[k] > traced.high[k] ? at[k] : traced.high[k];
        }
    }
    traced.ring.n = n;
    note_pixel(&traced, p, n);
    if (growing_add(&t->rings, &traced, err)) {
        free(traced.ring.points);
        return -1;
    }
    return 0;
}

/* ---- rings that touch themselves ---- */

struct visit {
    struct point point;
    size_t place; /* in the ring so far, or SIZE_MAX when it was cut off */
    bool used;
};

static struct visit *find_visit(struct visit *table, size_t mask, struct point p)
{
    uint64_t hash = ((uint64_t)p.x * 0x9e3779b97f4a7c15u) ^ ((uint64_t)p.y * 0xd6e8feb86659fd93u);
    size_t i = (size_t)(hash >> 20) & mask;
    while (table[i].used && (table[i].point.x != p.x || table[i].point.y != p.y))
        i = (i + 1) & mask;
    return &table[i];
}

/* Each time the ring comes to a corner again, what lies between becomes a ring;
 * the corners before it stay in `p` as on a stack. */
static int cut_ring(struct tracer *t, struct visit *table, size_t mask, struct err *err)
{
    struct point *p = t->points.items;
    size_t n = t->points.count, kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct point corner = p[i];
        struct visit *visit = find_visit(table, mask, corner);
        if (visit->used && visit->place < kept && p[visit->place].x == corner.x &&
            p[visit->place].y == corner.y) {
            if (add_ring(t, p + visit->place, kept - visit->place, err))
                return -1;
            kept = visit->place;
        }
        *visit = (struct visit){corner, kept, true};
        p[kept++] = corner;
    }
    return add_ring(t, p, kept, err);
}

static int add_simple_rings(struct tracer *t, struct err *err)
{
    size_t size = 16;
    while (size < 2 * t->points.count)
        size *= 2;
    struct visit *table = calloc(size, sizeof *table);
    if (!table)
        return err_memory(err, "an outline");
    int result = cut_ring(t, table, size - 1, err);
    free(table);
    return result;
}

static int trace_rings(struct tracer *t, struct err *err)
{
    for (size_t y = t->box.top; y < t->box.bottom; y++)
        for (size_t x = t->box.left; x < t->box.right; x++) {
            struct point p = {(int64_t)x, (int64_t)y};
            size_t bit = bit_of(t, p.x, p.y);
            if (t->walked[bit / 8] >> bit % 8 & 1 || !is_inside(t, p.x, p.y) ||
                is_inside(t, p.x, p.y - 1))
                continue;
            if (walk(t, p, err) || add_simple_rings(t, err))
                return -1;
        }
    return 0;
}

/* ---- pieces: an outer ring with its holes ---- */

static bool contains(const struct traced *outer, double x, double y)
{
    const double *p = outer->ring.points;
    size_t n = outer->ring.n;
    bool inside = false;
    if (x < outer->low[0] || x > outer->high[0] || y < outer->low[1] || y > outer->high[1])
        return false;
    for (size_t i = 0, j = n - 1; i < n; j = i++) {
        double x1 = p[2 * i], y1 = p[2 * i + 1], y0 = p[2 * j + 1];
        if ((y1 > y) != (y0 > y) && x < x1) /* the crossing edges are upright */
            inside = !inside;
    }
    return inside;
}

/* The rows that a run of outer rings reaches over, so that most need no look. */
#define RUN 64
struct rows {
    double low, high;
};

static struct rows *note_rows(const struct traced *rings, size_t outers, struct err *err)
{
    struct rows *rows = malloc((outers / RUN + 1) * sizeof *rows);
    if (!rows) {
        err_memory(err, "an outline");
        return NULL;
    }
    for (size_t i = 0; i < outers; i++) {
        struct rows *run = &rows[i / RUN];
        double low = rings[i].low[1], high = rings[i].high[1];
        run->low = i % RUN && run->low < low ? run->low : low;
        run->high = i % RUN && run->high > high ? run->high : high;
    }
    return rows;
}

/* The smallest outer ring around the object's pixel beside the hole. */
static size_t owner_of(const struct traced *rings, size_t outers, const struct rows *rows,
                       const struct traced *hole)
{
    size_t best = 0;
    double area = 1e300;
    for (size_t i = 0; i < outers; i++) {
        const struct rows *run = &rows[i / RUN];
        if (i % RUN == 0 && (hole->y < run->low || hole->y > run->high)) {
            i += RUN - 1;
            continue;
        }
        if (rings[i].area < area && contains(&rings[i], hole->x, hole->y)) {
            best = i;
            area = rings[i].area;
        }
    }
    return best;
}

static int add_to_piece(struct annot_piece *piece, struct traced *traced, struct err *err)
{
    struct annot_ring *rings = realloc(piece->rings, (piece->count + 1) * sizeof *rings);
    if (!rings)
        return err_memory(err, "an outline");
    piece->rings = rings;
    piece->rings[piece->count++] = traced->ring;
    traced->given = true;
    return 0;
}

/* Outer rings first, in the order in which they were found. */
static size_t outers_first(struct traced *rings, size_t n)
{
    size_t outers = 0;
    for (size_t i = 0; i < n; i++)
        if (rings[i].area > 0) {
            struct traced ring = rings[i];
            rings[i] = rings[outers];
            rings[outers++] = ring;
        }
    return outers;
}

static int make_pieces(struct annot_object *object, struct traced *rings, size_t n, struct err *err)
{
    size_t outers = outers_first(rings, n);
    object->pieces = calloc(outers ? outers : 1, sizeof *object->pieces);
    if (!object->pieces)
        return err_memory(err, "an outline");
    object->count = outers;
    struct rows *rows = note_rows(rings, outers, err);
    int result = rows ? 0 : -1;
    for (size_t i = 0; i < n && result == 0; i++) {
        size_t owner = i < outers ? i : owner_of(rings, outers, rows, &rings[i]);
        result = add_to_piece(&object->pieces[owner], &rings[i], err);
    }
    free(rows);
    return result;
}

int annot_trace(struct annot_object *object, const struct array *labels, const struct box *box,
                struct err *err)
{
    struct tracer t = {.labels = labels->data,
                       .stride = labels->shape[1],
                       .box = *box,
                       .points = {.size = sizeof(struct point)},
                       .rings = {.size = sizeof(struct traced)}};
    *object = (struct annot_object){.label = box->label, .class_name = ""};
    t.walked = calloc((box->bottom - box->top) * (box->right - box->left) / 8 + 1, 1);
    if (!t.walked)
        return err_memory(err, "an outline");
    int result = trace_rings(&t, err);
    struct traced *rings = t.rings.items;
    if (result == 0)
        result = make_pieces(object, rings, t.rings.count, err);
    for (size_t i = 0; i < t.rings.count; i++)
        if (!rings[i].given)
            free(rings[i].ring.points);
    growing_free(&t.rings);
    growing_free(&t.points);
    free(t.walked);
    if (result)
        annot_object_free(object);
    return result;
}

void annot_object_free(struct annot_object *object)
{
    for (size_t i = 0; i < object->count; i++) {
        for (size_t j = 0; j < object->pieces[i].count; j++)
            free(object->pieces[i].rings[j].points);
        free(object->pieces[i].rings);
    }
    free(object->pieces);
    *object = (struct annot_object){0};
}
