/* Scan conversion: the pixels whose centers are inside. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annot/annot.h"
#include "core/growing.h"
#include "core/num.h"

/* An edge between two pixel rows' centers, in the rows [first, end). */
struct edge {
    int64_t first, end;
    double x, slope; /* where it crosses the center line of row 0, and per row */
};

struct canvas {
    uint32_t *pixels;
    int64_t width, height;
    uint32_t value;
    bool keep_first;
    int64_t *covered; /* pixels so far; pieces that overlap count twice */
};

static void fill(const struct canvas *canvas, int64_t x, int64_t end, int64_t y)
{
    uint32_t *row = canvas->pixels + y * canvas->width;
    *canvas->covered += x < end ? end - x : 0;
    for (; x < end; x++)
        if (!canvas->keep_first || row[x] == 0)
            row[x] = canvas->value;
}

/* The first pixel whose center is at x or right of it, inside the image. */
static int64_t first_pixel(const struct canvas *canvas, double x)
{
    double pixel = ceil(x - 0.5);
    return pixel <= 0 ? 0 : pixel >= (double)canvas->width ? canvas->width : (int64_t)pixel;
}

static int64_t clamp_row(const struct canvas *canvas, double y)
{
    double row = ceil(y - 0.5);
    return row <= 0 ? 0 : row >= (double)canvas->height ? canvas->height : (int64_t)row;
}

static int add_edge(struct growing *edges, const struct canvas *canvas, const double *a,
                    const double *b, struct err *err)
{
    if (a[1] > b[1]) {
        const double *swap = a;
        a = b;
        b = swap;
    }
    struct edge edge = {.first = clamp_row(canvas, a[1]), .end = clamp_row(canvas, b[1])};
    if (edge.first == edge.end)
        return 0;
    edge.slope = (b[0] - a[0]) / (b[1] - a[1]);
    edge.x = a[0] + (0.5 - a[1]) * edge.slope;
    return growing_add(edges, &edge, err);
}

static int add_ring(struct growing *edges, const struct canvas *canvas,
                    const struct annot_ring *ring, struct err *err)
{
    for (size_t i = 0; i < ring->n; i++) {
        const double *a = ring->points + 2 * i, *b = ring->points + 2 * ((i + 1) % ring->n);
        if (add_edge(edges, canvas, a, b, err))
            return -1;
    }
    return 0;
}

static int compare_edges(const void *a, const void *b)
{
    int64_t x = ((const struct edge *)a)->first, y = ((const struct edge *)b)->first;
    return (x > y) - (x < y);
}

/* Few crossings, nearly in order from the row before. */
static void sort(double *x, size_t n)
{
    if (n > 64) {
        qsort(x, n, sizeof *x, num_compare_doubles);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        double value = x[i];
        size_t j = i;
        for (; j > 0 && x[j - 1] > value; j--)
            x[j] = x[j - 1];
        x[j] = value;
    }
}

/* `active` has room for the edges of any row, `crossings` for where they cross. */
static void fill_rows(const struct canvas *canvas, const struct edge *edges, size_t n,
                      const struct edge **active, double *crossings)
{
    size_t next = 0, count = 0;
    for (int64_t y = n ? edges[0].first : 0; next < n || count; y++) {
        size_t kept = 0;
        for (; next < n && edges[next].first <= y; next++)
            active[count++] = &edges[next];
        for (size_t i = 0; i < count; i++)
            if (active[i]->end > y) {
                crossings[kept] = active[i]->x + active[i]->slope * (double)y;
                active[kept++] = active[i];
            }
        count = kept;
        sort(crossings, count);
        for (size_t i = 0; i + 1 < count; i += 2)
            fill(canvas, first_pixel(canvas, crossings[i]), first_pixel(canvas, crossings[i + 1]),
                 y);
    }
}

/* Where an edge crosses row y, as a pixel. */
static int64_t crossing(const struct canvas *canvas, const struct edge *edge, int64_t y)
{
    return first_pixel(canvas, edge->x + edge->slope * (double)y);
}

/* ---- many crossings a row: a bit a pixel says where inside and outside change ---- */

/* An upright edge changes the same pixel in all of its rows: two events. */
struct event {
    int64_t row, x;
};

struct parity {
    const struct canvas *canvas;
    int64_t left, right, bottom;
    uint8_t *changes;     /* of pixels left to right */
    struct event *events; /* of upright edges, by row */
    size_t event_count;
    const struct edge **slanted; /* by their first row */
    size_t slanted_count;
    int64_t *crossed; /* by the slanted ones in a row */
};

static int compare_events(const void *a, const void *b)
{
    int64_t x = ((const struct event *)a)->row, y = ((const struct event *)b)->row;
    return (x > y) - (x < y);
}

static void fill_between_changes(const struct parity *p, int64_t y)
{
    bool inside = false;
    int64_t begin = p->left;
    for (int64_t x = p->left; x <= p->right; x++)
        if (p->changes[x - p->left]) {
            if (inside)
                fill(p->canvas, begin, x, y);
            inside = !inside;
            begin = x;
        }
}

static void fill_by_parity(struct parity *p, int64_t y)
{
    size_t event = 0, next = 0, count = 0;
    for (; y < p->bottom; y++) {
        size_t kept = 0;
        for (; event < p->event_count && p->events[event].row <= y; event++)
            p->changes[p->events[event].x - p->left] ^= 1;
        for (; next < p->slanted_count && p->slanted[next]->first <= y; next++)
            p->slanted[count++] = p->slanted[next]; /* those that go on stand before it */
        for (size_t i = 0; i < count; i++)
            if (p->slanted[i]->end > y) {
                p->crossed[kept] = crossing(p->canvas, p->slanted[i], y) - p->left;
                p->changes[p->crossed[kept]] ^= 1;
                p->slanted[kept++] = p->slanted[i];
            }
        count = kept;
        fill_between_changes(p, y);
        for (size_t i = 0; i < count; i++)
            p->changes[p->crossed[i]] ^= 1;
    }
}

static void split_edges(struct parity *p, const struct edge *edges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (edges[i].slope != 0) {
            p->slanted[p->slanted_count++] = &edges[i];
            continue;
        }
        int64_t x = crossing(p->canvas, &edges[i], edges[i].first);
        p->events[p->event_count++] = (struct event){edges[i].first, x};
        p->events[p->event_count++] = (struct event){edges[i].end, x};
    }
    if (p->event_count)
        qsort(p->events, p->event_count, sizeof *p->events, compare_events);
}

/* ---- an outline ---- */

/* The pixels that the edges reach over, and in how many rows they cross all in all. */
struct reach {
    int64_t left, right, bottom;
    double crossings;
};

static struct reach reach_of(const struct canvas *canvas, const struct edge *edges, size_t n)
{
    struct reach reach = {INT64_MAX, 0, 0, 0};
    for (size_t i = 0; i < n; i++) {
        const struct edge *e = &edges[i];
        int64_t ends[] = {crossing(canvas, e, e->first), crossing(canvas, e, e->end - 1)};
        for (int k = 0; k < 2; k++) {
            reach.left = ends[k] < reach.left ? ends[k] : reach.left;
            reach.right = ends[k] > reach.right ? ends[k] : reach.right;
        }
        reach.bottom = e->end > reach.bottom ? e->end : reach.bottom;
        reach.crossings += (double)(e->end - e->first);
    }
    return reach;
}

static int paint_by_parity(const struct canvas *canvas, const struct edge *edges, size_t n,
                           const struct reach *reach, struct err *err)
{
    struct parity p = {canvas, reach->left, reach->right, reach->bottom, NULL, NULL, 0,
                       NULL,   0,           NULL};
    p.changes = calloc((size_t)(reach->right - reach->left + 1), 1);
    p.events = malloc(2 * n * sizeof *p.events);
    p.slanted = malloc(n * sizeof *p.slanted);
    p.crossed = malloc(n * sizeof *p.crossed);
    bool failed = !p.changes || !p.events || !p.slanted || !p.crossed;
    if (!failed) {
        split_edges(&p, edges, n);
        fill_by_parity(&p, edges[0].first);
    }
    free(p.changes);
    free(p.events);
    free(p.slanted);
    free(p.crossed);
    return failed ? err_memory(err, "an outline") : 0;
}

static int paint_by_lists(const struct canvas *canvas, const struct edge *edges, size_t n,
                          struct err *err)
{
    const struct edge **active = malloc(n * sizeof *active);
    double *crossings = malloc(n * sizeof *crossings);
    if (active && crossings)
        fill_rows(canvas, edges, n, active, crossings);
    bool failed = !active || !crossings;
    free(active);
    free(crossings);
    return failed ? err_memory(err, "an outline") : 0;
}

static int paint_piece(const struct canvas *canvas, const struct annot_piece *piece,
                       struct growing *edges, struct err *err)
{
    edges->count = 0;
    for (size_t i = 0; i < piece->count; i++)
        if (add_ring(edges, canvas, &piece->rings[i], err))
            return -1;
    size_t n = edges->count;
    if (n == 0)
        return 0;
    qsort(edges->items, n, sizeof(struct edge), compare_edges);
    struct edge *all = edges->items;
    struct reach reach = reach_of(canvas, all, n);
    double area = (double)(reach.bottom - all->first) * (double)(reach.right - reach.left + 1);
    return reach.crossings > area ? paint_by_parity(canvas, all, n, &reach, err)
                                  : paint_by_lists(canvas, all, n, err);
}

/* Pixels [y, end) of a column, as far as they are in the image. */
static void fill_column(const struct canvas *canvas, int64_t x, int64_t y, int64_t end)
{
    if (x < 0 || x >= canvas->width)
        return;
    end = end < canvas->height ? end : canvas->height;
    for (y = y > 0 ? y : 0; y < end; y++)
        fill(canvas, x, x + 1, y);
}

/* Pixels [at, end) of the object's box, counted down its columns. */
static void fill_run(const struct canvas *canvas, const struct annot_object *object, int64_t at,
                     int64_t end)
{
    int64_t height = object->run_height;
    for (int64_t x = at / height; at < end && object->run_x + x < canvas->width; x++) {
        int64_t last = end < (x + 1) * height ? end : (x + 1) * height;
        int64_t y = object->run_y - x * height;
        fill_column(canvas, object->run_x + x, at + y, last + y);
        at = last;
    }
}

static void paint_runs(const struct canvas *canvas, const struct annot_object *object)
{
    int64_t at = 0, total = object->run_width * object->run_height;
    for (size_t i = 0; i < object->run_count && at < total; i++) {
        int64_t end = at + object->runs[i];
        if (i % 2)
            fill_run(canvas, object, at, end < total ? end : total);
        at = end;
    }
}

int64_t annot_paint(struct array *labels, const struct annot_object *object, uint32_t value,
                    bool keep_first, struct err *err)
{
    int64_t covered = 0;
    struct canvas canvas = {
        labels->data, (int64_t)labels->shape[1], (int64_t)labels->shape[0], value, keep_first,
        &covered};
    struct growing edges = {.size = sizeof(struct edge)};
    int result = 0;
    for (size_t i = 0; i < object->count && result == 0; i++)
        result = paint_piece(&canvas, &object->pieces[i], &edges, err);
    growing_free(&edges);
    if (object->run_count)
        paint_runs(&canvas, object);
    return result ? -1 : covered;
}
