#include "pixels/monolayer.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "pixels/noise.h"

#define PI 3.14159265358979323846

enum {
    MARGIN = 3,   /* columns and rows of points outside the image on each side */
    REACH = 2,    /* columns and rows of points that may be the nearest */
    NUCLEOLI = 4, /* at most */
};

struct spot {
    float x, y, radius, rise;
};

struct cell {
    float x, y;                               /* its point */
    float bonus;                              /* how much nearer it counts, pixels */
    float rise;                               /* thickness of its body */
    uint32_t label;                           /* 0: none grows here */
    float cosine, sine, inverse_a, inverse_b; /* of its nucleus, about x, y of `nucleus` */
    struct spot nucleus, nucleolus[NUCLEOLI];
};

/* What the cells of a sheet have in common. */
struct style {
    double cosine, sine;     /* the direction in which cells are longer */
    float along, across;     /* by what its distances and those across it are multiplied */
    double bend, ragged;     /* how far borders are bent at the scale of cells, of pixels */
    double rise, dome, edge; /* thickness of the flat part, of the middle; how fast it rises */
    double seam, seam_width; /* thickness added where two cells meet */
    double grain, around;    /* texture, and the share of it that lies about the nucleus */
    double nucleus, nucleus_rise, nucleolus_rise;
};

struct grid { /* of points, hexagonal but for their jitter */
    const struct monolayer *sheet;
    struct style style;
    double step;
    size_t columns, rows;
    struct cell *cells;
};

/* ---- the cells ---- */

static double either_sign(struct rng *rng, double low, double high)
{
    return (rng_uniform(rng) < 0.5 ? -1 : 1) * rng_between(rng, low, high);
}

static struct style choose_style(const struct monolayer *sheet, struct rng *rng)
{
    double direction = rng_between(rng, 0, 2 * PI), r = sheet->radius;
    double stretch = 1 + fabs(rng_normal(rng)) * 0.35;
    float along = (float)(1 / sqrt(stretch));
    struct style s = {
        .along = along,
        .across = 1 / along,
        .cosine = cos(direction),
        .sine = sin(direction),
        .bend = r * rng_between(rng, 0.15, 0.7),
        .ragged = rng_between(rng, 0, 1.5),
        .rise = rng_between(rng, 0.2, 0.65),
        .dome = rng_between(rng, 0, 0.4),
        .edge = rng_between(rng, 1.5, 2 + 0.15 * r),
        .seam_width = rng_between(rng, 1, 1.5 + 0.08 * r),
        .grain = 0.08 * exp(rng_normal(rng) * 0.7),
        .around = rng_between(rng, 0, 0.9),
        .nucleus = rng_between(rng, 0.28, 0.5),
        .nucleus_rise = either_sign(rng, 0.05, 0.4),
        .nucleolus_rise = either_sign(rng, 0.1, 0.6),
    };
    if (rng_uniform(rng) < 0.75)
        s.seam = either_sign(rng, 0.1, 0.5);
    return s;
}

static void make_nucleus(const struct monolayer *sheet, const struct style *style,
                         struct cell *cell, struct rng *rng)
{
    double r = sheet->radius, a = r * style->nucleus * exp(rng_normal(rng) * 0.12);
    double b = a * rng_between(rng, 0.6, 1), direction = rng_between(rng, 0, 2 * PI);
    cell->nucleus = (struct spot){(float)(cell->x + rng_normal(rng) * 0.15 * r),
                                  (float)(cell->y + rng_normal(rng) * 0.15 * r), (float)a,
                                  (float)(style->nucleus_rise * rng_between(rng, 0.6, 1.3))};
    cell->cosine = (float)cos(direction);
    cell->sine = (float)sin(direction);
    cell->inverse_a = (float)(1 / a);
    cell->inverse_b = (float)(1 / b);
    int dots = (int)rng_below(rng, NUCLEOLI + 1);
    for (int i = 0; i < NUCLEOLI; i++) {
        double at = rng_between(rng, 0, 2 * PI), far = rng_between(rng, 0, 0.55) * b;
        cell->nucleolus[i] = (struct spot){
            cell->nucleus.x + (float)(cos(at) * far), cell->nucleus.y + (float)(sin(at) * far),
            (float)(a * rng_between(rng, 0.12, 0.28)),
            i < dots ? (float)(style->nucleolus_rise * rng_between(rng, 0.5, 1.2)) : 0};
    }
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Where cells grow: where slow noise is below the value that leaves `coverage` of those in the
 * image. */
static int choose_present(struct grid *g, struct rng *rng, uint32_t *cells, struct err *err)
{
    size_t n = g->columns * g->rows, seen = 0;
    double slow = g->step * rng_between(rng, 0.7, 2), x0 = rng_between(rng, 0, 100),
           y0 = rng_between(rng, 0, 100);
    float *value = malloc(2 * n * sizeof *value);
    if (!value)
        return err_memory(err, "a sheet of cells");
    float *sorted = value + n;
    for (size_t i = 0; i < n; i++) {
        const struct cell *c = &g->cells[i];
        value[i] = noise_at(g->sheet->noise, g->sheet->side, x0 + c->x / slow, y0 + c->y / slow) +
                   0.15f * (float)rng_normal(rng);
        if (c->x >= 0 && c->y >= 0 && c->x < (float)g->sheet->width &&
            c->y < (float)g->sheet->height)
            sorted[seen++] = value[i];
    }
    qsort(sorted, seen, sizeof *sorted, ascending);
    double keep = g->sheet->coverage * (double)seen;
    float limit = seen && keep >= 1 ? sorted[(size_t)keep - 1] : -INFINITY;
    *cells = 0;
    for (size_t i = 0; i < n; i++)
        if (value[i] <= limit)
            g->cells[i].label = ++*cells;
    free(value);
    return 0;
}

static int make_cells(struct grid *g, struct rng *rng, uint32_t *cells, struct err *err)
{
    g->step = 1.9 * g->sheet->radius;
    g->columns = (size_t)((double)g->sheet->width / g->step) + 2 * MARGIN + 1;
    g->rows = (size_t)((double)g->sheet->height / g->step) + 2 * MARGIN + 1;
    g->cells = calloc(g->columns * g->rows, sizeof *g->cells);
    if (!g->cells)
        return err_memory(err, "a sheet of cells");
    for (size_t row = 0; row < g->rows; row++)
        for (size_t column = 0; column < g->columns; column++) {
            struct cell *c = &g->cells[row * g->columns + column];
            double x = (double)column - MARGIN + (row % 2 ? 0.5 : 0), y = (double)row - MARGIN;
            c->x = (float)((x + rng_between(rng, -0.38, 0.38)) * g->step);
            c->y = (float)((y + rng_between(rng, -0.38, 0.38)) * g->step);
            c->bonus = (float)(rng_normal(rng) * 0.12 * g->sheet->radius);
            c->rise = (float)(g->style.rise * exp(rng_normal(rng) * 0.25));
            make_nucleus(g->sheet, &g->style, c, rng);
        }
    return choose_present(g, rng, cells, err);
}

/* ---- its pixels ---- */

struct nearest {
    const struct cell *cell, *next; /* the nearest and the one after it */
    float first, second;            /* their distances, pixels */
};

static struct nearest find_nearest(const struct grid *g, float x, float y)
{
    struct nearest at = {NULL, NULL, 1e9f, 1e9f};
    float along = g->style.along, across = g->style.across;
    float c = (float)g->style.cosine, s = (float)g->style.sine;
    int64_t row = (int64_t)floor(y / g->step + 0.5) + MARGIN;
    int64_t column = (int64_t)floor(x / g->step + 0.5) + MARGIN;
    for (int64_t i = row - REACH; i <= row + REACH; i++)
        for (int64_t k = column - REACH; k <= column + REACH; k++) {
            if (i < 0 || k < 0 || i >= (int64_t)g->rows || k >= (int64_t)g->columns)
                continue;
            const struct cell *cell = &g->cells[(size_t)i * g->columns + (size_t)k];
            float dx = x - cell->x, dy = y - cell->y;
            float u = (dx * c + dy * s) * along, v = (dy * c - dx * s) * across;
            float d = sqrtf(u * u + v * v) - cell->bonus;
            if (d < at.first)
                at = (struct nearest){cell, at.cell, d, at.first};
            else if (d < at.second)
                at.next = cell, at.second = d;
        }
    return at;
}

static float nucleus_thickness(const struct cell *cell, float x, float y)
{
    float dx = x - cell->nucleus.x, dy = y - cell->nucleus.y;
    float u = (dx * cell->cosine + dy * cell->sine) * cell->inverse_a;
    float v = (dy * cell->cosine - dx * cell->sine) * cell->inverse_b;
    float within = 1 - (u * u + v * v), t = 0;
    if (within <= 0)
        return 0;
    t = cell->nucleus.rise * (within > 0.25f ? 1 : within / 0.25f);
    for (int i = 0; i < NUCLEOLI; i++) {
        const struct spot *dot = &cell->nucleolus[i];
        float ex = x - dot->x, ey = y - dot->y;
        t += dot->rise * expf(-(ex * ex + ey * ey) / (dot->radius * dot->radius));
    }
    return t;
}

/* Thickness at (x, y), which the bent plane has at `at`. */
static float cell_thickness(const struct grid *g, const struct nearest *at, float x, float y)
{
    const struct style *s = &g->style;
    float r = (float)g->sheet->radius, inside = (at->second - at->first) / 2;
    float rim = inside / ((float)s->edge + inside), middle = 1 - at->first * at->first / (r * r);
    middle = middle < 0 ? 0 : middle;
    float t = at->cell->rise * rim + (float)s->dome * middle * rim;
    if (at->next && at->next->label) {
        float far = inside / (float)s->seam_width;
        t = at->cell->rise * (0.5f + 0.5f * rim) + (float)s->dome * middle * rim +
            (float)s->seam * expf(-far * far);
    }
    float grain = (float)s->grain * (1 - (float)s->around * (1 - middle));
    size_t mask = g->sheet->side - 1;
    size_t tx = ((size_t)(int64_t)x + 37 * at->cell->label) & mask,
           ty = ((size_t)(int64_t)y + 101 * at->cell->label) & mask;
    return t + nucleus_thickness(at->cell, x, y) * rim +
           grain * g->sheet->noise[ty * g->sheet->side + tx] * rim;
}

static void lay_pixels(const struct grid *g, float *thickness, uint32_t *label)
{
    const struct monolayer *s = g->sheet;
    double coarse = 0.9 * s->radius;
    float limit = (float)(s->reach * s->radius);
    for (size_t y = 0; y < s->height; y++)
        for (size_t x = 0; x < s->width; x++) {
            double fx = (double)x, fy = (double)y, u = fx / coarse, v = fy / coarse;
            float bx = (float)(fx + g->style.bend * noise_at(s->noise, s->side, u, v) +
                               g->style.ragged * noise_at(s->noise, s->side, fx / 3, fy / 3));
            float by =
                (float)(fy + g->style.bend * noise_at(s->noise, s->side, u + 91, v + 57) +
                        g->style.ragged * noise_at(s->noise, s->side, fx / 3 + 29, fy / 3 + 83));
            struct nearest at = find_nearest(g, bx, by);
            if (!at.cell || !at.cell->label || at.first > limit)
                continue;
            size_t i = y * s->width + x;
            label[i] = at.cell->label;
            thickness[i] += cell_thickness(g, &at, bx, by);
        }
}

int monolayer_lay(const struct monolayer *sheet, struct rng *rng, float *thickness, uint32_t *label,
                  uint32_t *cells, struct err *err)
{
    struct grid grid = {.sheet = sheet, .style = choose_style(sheet, rng)};
    int result = make_cells(&grid, rng, cells, err);
    if (result == 0)
        lay_pixels(&grid, thickness, label);
    free(grid.cells);
    return result;
}
