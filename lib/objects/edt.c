#include "objects/edt.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/spill.h"
#include "core/target.h"

#define NO_SITE UINT32_MAX

struct edt {
    size_t height, width;
    double size_y, size_x;
    struct spill gaps; /* height x width: rows to the nearest site of the same column */
    bool narrow;       /* they are uint16_t, else uint32_t; all bits set: no site */
    uint32_t *gap;     /* a row of them */
    size_t *vertex;    /* columns of the parabolas that make the envelope */
    double *start;     /* where each of them begins to be the lowest */
    double *ordinate;  /* their values at their own columns */
    double *row;       /* a row of squared distances */
};

/* A row's gaps from those of the row above. */
CLONES(static, void, down16,
       (uint16_t *restrict gap, const uint16_t *restrict above, const uint8_t *restrict sites,
        size_t width),
       (gap, above, sites, width))
{
    for (size_t x = 0; x < width; x++) {
        uint16_t further = (uint16_t)(above[x] + (above[x] != UINT16_MAX));
        gap[x] = sites[x] ? 0 : further;
    }
}

CLONES(static, void, up16, (uint16_t *restrict gap, const uint16_t *restrict below, size_t width),
       (gap, below, width))
{
    for (size_t x = 0; x < width; x++) {
        uint16_t further = (uint16_t)(below[x] + (below[x] != UINT16_MAX));
        gap[x] = further < gap[x] ? further : gap[x];
    }
}

CLONES(static, void, down32,
       (uint32_t *restrict gap, const uint32_t *restrict above, const uint8_t *restrict sites,
        size_t width),
       (gap, above, sites, width))
{
    for (size_t x = 0; x < width; x++) {
        uint32_t further = above[x] + (above[x] != UINT32_MAX);
        gap[x] = sites[x] ? 0 : further;
    }
}

CLONES(static, void, up32, (uint32_t *restrict gap, const uint32_t *restrict below, size_t width),
       (gap, below, width))
{
    for (size_t x = 0; x < width; x++) {
        uint32_t further = below[x] + (below[x] != UINT32_MAX);
        gap[x] = further < gap[x] ? further : gap[x];
    }
}

static void *gap_row(const struct edt *e, size_t y)
{
    return (char *)e->gaps.data + y * e->width * (e->narrow ? sizeof(uint16_t) : sizeof(uint32_t));
}

static void load_row(const struct edt *e, size_t y)
{
    const uint16_t *narrow = gap_row(e, y);
    if (!e->narrow)
        memcpy(e->gap, gap_row(e, y), e->width * sizeof *e->gap);
    else
        for (size_t x = 0; x < e->width; x++)
            e->gap[x] = narrow[x] == UINT16_MAX ? NO_SITE : narrow[x];
}

void edt_set_sites(struct edt *edt, const uint8_t *sites)
{
    size_t w = edt->width;
    memset(edt->gap, 0xff, w * sizeof *edt->gap);
    for (size_t y = 0; y < edt->height; y++) {
        const void *above = y ? gap_row(edt, y - 1) : edt->gap;
        if (edt->narrow)
            down16(gap_row(edt, y), above, sites + y * w, w);
        else
            down32(gap_row(edt, y), above, sites + y * w, w);
    }
    for (size_t y = edt->height; y-- > 1;)
        if (edt->narrow)
            up16(gap_row(edt, y - 1), gap_row(edt, y), w);
        else
            up32(gap_row(edt, y - 1), gap_row(edt, y), w);
}

int edt_new(struct edt **edt, const uint8_t *sites, size_t height, size_t width, double size_y,
            double size_x, struct err *err)
{
    size_t bytes, shape[] = {height, width};
    if (array_check_bytes(DTYPE_U32, 2, shape, &bytes, err))
        return -1;
    struct edt *e = calloc(1, sizeof *e);
    if (!e)
        return err_memory(err, "a distance transform");
    *e = (struct edt){.height = height, .width = width, .size_y = size_y, .size_x = size_x};
    e->narrow = height < UINT16_MAX;
    e->gap = calloc(width + 1, sizeof *e->gap);
    e->vertex = calloc(width + 1, sizeof *e->vertex);
    e->start = calloc(width + 2, sizeof *e->start);
    e->ordinate = calloc(width + 1, sizeof *e->ordinate);
    e->row = calloc(width + 1, sizeof *e->row);
    if (!e->gap || !e->vertex || !e->start || !e->ordinate || !e->row) {
        edt_free(e);
        return err_memory(err, "a distance transform");
    }
    if (spill_new(&e->gaps, e->narrow ? bytes / 2 : bytes, err)) {
        edt_free(e);
        return -1;
    }
    edt_set_sites(e, sites);
    *edt = e;
    return 0;
}

void edt_free(struct edt *edt)
{
    if (!edt)
        return;
    spill_free(&edt->gaps);
    free(edt->gap);
    free(edt->vertex);
    free(edt->start);
    free(edt->ordinate);
    free(edt->row);
    free(edt);
}

/* Where the parabola with vertex (q, fq) becomes lower than the one at (p, fp),
 * p < q, in columns; a2 is the square of a column's width. */
static inline double crossing(double p, double fp, double q, double fq, double a2)
{
    return ((fq + a2 * q * q) - (fp + a2 * p * p)) / (2 * a2 * (q - p));
}

/* The lower envelope of the row's parabolas; returns how many it has. */
static size_t build_envelope(struct edt *e, const uint32_t *gap)
{
    double a2 = e->size_x * e->size_x;
    size_t n = 0;
    for (size_t q = 0; q < e->width; q++) {
        if (gap[q] == NO_SITE)
            continue;
        double height = gap[q] * e->size_y, fq = height * height, s = -INFINITY;
        while (n > 0) {
            size_t p = e->vertex[n - 1];
            s = crossing((double)p, e->ordinate[n - 1], (double)q, fq, a2);
            if (s > e->start[n - 1])
                break;
            n--;
        }
        e->vertex[n] = q;
        e->ordinate[n] = fq;
        e->start[n] = n ? s : -INFINITY;
        n++;
    }
    return n;
}

void edt_row(struct edt *edt, size_t y, double *squared)
{
    load_row(edt, y);
    size_t n = build_envelope(edt, edt->gap);
    if (n == 0) {
        for (size_t x = 0; x < edt->width; x++)
            squared[x] = INFINITY;
        return;
    }
    edt->start[n] = INFINITY;
    for (size_t x = 0, k = 0; x < edt->width; x++) {
        while (edt->start[k + 1] < (double)x)
            k++;
        double dx = ((double)x - (double)edt->vertex[k]) * edt->size_x;
        squared[x] = dx * dx + edt->ordinate[k];
    }
}

/* ---- some columns of a row ---- */

static inline uint32_t gap_at(const void *row, bool narrow, size_t x)
{
    if (!narrow)
        return ((const uint32_t *)row)[x];
    uint16_t gap = ((const uint16_t *)row)[x];
    return gap == UINT16_MAX ? NO_SITE : gap;
}

/* What looking left and right of every wanted column costs at most, in steps; a
 * column's own gap bounds how far to look. */
static bool is_cheaper_alone(const struct edt *edt, const void *row, const uint32_t *columns,
                             size_t count)
{
    double aspect = edt->size_y / edt->size_x;
    size_t most = 4 * edt->width, steps = 0;
    for (size_t i = 0; i < count && steps <= most; i++) {
        uint32_t gap = gap_at(row, edt->narrow, columns[i]);
        double reach = gap == NO_SITE ? (double)edt->width : gap * aspect;
        steps += reach < (double)edt->width ? (size_t)reach + 1 : edt->width;
    }
    return steps <= most;
}

static inline double squared_gap(double size_y, uint32_t gap)
{
    double height = gap * size_y;
    return gap == NO_SITE ? INFINITY : height * height;
}

static inline double nearest(const struct edt *edt, const void *row, bool narrow, size_t x)
{
    double size_y = edt->size_y, best = squared_gap(size_y, gap_at(row, narrow, x));
    for (size_t d = 1; d < edt->width; d++) {
        double dx = (double)d * edt->size_x, across = dx * dx;
        if (across >= best)
            break;
        uint32_t left = x >= d ? gap_at(row, narrow, x - d) : NO_SITE;
        uint32_t right = x + d < edt->width ? gap_at(row, narrow, x + d) : NO_SITE;
        double least = across + squared_gap(size_y, left < right ? left : right);
        best = least < best ? least : best;
    }
    return best;
}

void edt_at(struct edt *edt, size_t y, const uint32_t *columns, size_t count, double *squared)
{
    const void *row = gap_row(edt, y);
    if (!is_cheaper_alone(edt, row, columns, count)) {
        edt_row(edt, y, edt->row);
        for (size_t i = 0; i < count; i++)
            squared[i] = edt->row[columns[i]];
        return;
    }
    for (size_t i = 0; i < count; i++)
        squared[i] = edt->narrow ? nearest(edt, row, true, columns[i])
                                 : nearest(edt, row, false, columns[i]);
}

int edt_distance(const uint8_t *sites, size_t height, size_t width, double size_y, double size_x,
                 float *distance, struct err *err)
{
    struct edt *edt;
    if (edt_new(&edt, sites, height, width, size_y, size_x, err))
        return -1;
    double *row = calloc(width + 1, sizeof *row);
    for (size_t y = 0; row && y < height; y++) {
        edt_row(edt, y, row);
        for (size_t x = 0; x < width; x++)
            distance[y * width + x] = (float)sqrt(row[x]);
    }
    edt_free(edt);
    if (!row)
        return err_memory(err, "a row of distances");
    free(row);
    return 0;
}
