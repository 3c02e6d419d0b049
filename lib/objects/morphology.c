#include "objects/morphology.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/intmap.h"
#include "core/spill.h"
#include "core/target.h"
#include "objects/components.h"

/* ---- surfaces ---- */

CLONES(static, void, surface_row,
       (const uint8_t *restrict row, const uint8_t *restrict above, const uint8_t *restrict below,
        size_t width, uint8_t *restrict surface),
       (row, above, below, width, surface))
{
    for (size_t x = 1; x + 1 < width; x++)
        surface[x] = (row[x] != 0) &
                     ((row[x - 1] == 0) | (row[x + 1] == 0) | (above[x] == 0) | (below[x] == 0));
    surface[0] = row[0] != 0;
    surface[width - 1] = row[width - 1] != 0;
}

void morphology_surface(const uint8_t *mask, size_t height, size_t width, uint8_t *surface)
{
    for (size_t y = 0; y < height && width > 0; y++) {
        const uint8_t *row = mask + y * width;
        if (y > 0 && y + 1 < height)
            surface_row(row, row - width, row + width, width, surface + y * width);
        else
            for (size_t x = 0; x < width; x++)
                surface[y * width + x] = row[x] != 0;
    }
}

/* ---- holes ---- */

/* What surrounds a piece of background. */
struct hole {
    uint64_t area;
    uint32_t label; /* of the first neighbor seen, 0 when none */
    bool open;      /* touches the border or several objects */
};

static void look_around(struct hole *hole, const uint32_t *labels, size_t height, size_t width,
                        size_t y, size_t x)
{
    if (y == 0 || x == 0 || y + 1 == height || x + 1 == width) {
        hole->open = true;
        return;
    }
    const uint32_t *p = labels + y * width + x;
    uint32_t around[] = {p[-1], p[1], *(p - width), p[width]};
    for (int i = 0; i < 4; i++) {
        hole->open |= around[i] && hole->label && around[i] != hole->label;
        hole->label = around[i] ? around[i] : hole->label;
    }
}

static void fill(uint32_t *labels, const uint32_t *pieces, size_t count, const struct hole *holes,
                 uint64_t max_area)
{
    for (size_t i = 0; i < count; i++) {
        const struct hole *hole = &holes[pieces[i]];
        if (pieces[i] && !hole->open && (max_area == 0 || hole->area <= max_area))
            labels[i] = hole->label;
    }
}

/* Labels the background into `pieces`; *holes is new. */
static int find_holes(const uint32_t *labels, size_t height, size_t width, uint32_t *pieces,
                      struct hole **holes, struct err *err)
{
    uint32_t count;
    for (size_t i = 0; i < height * width; i++)
        pieces[i] = labels[i] == 0;
    if (components_label(pieces, height, width, 4, pieces, &count, err))
        return -1;
    *holes = calloc((size_t)count + 1, sizeof **holes);
    if (!*holes)
        return err_memory(err, "holes");
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            uint32_t piece = pieces[y * width + x];
            if (!piece)
                continue;
            (*holes)[piece].area++;
            look_around(&(*holes)[piece], labels, height, width, y, x);
        }
    return 0;
}

int labels_fill_holes(uint32_t *labels, size_t height, size_t width, uint64_t max_area,
                      struct err *err)
{
    struct hole *holes = NULL;
    struct spill pieces;
    if (spill_new(&pieces, height * width * sizeof *labels, err))
        return -1;
    int rc = find_holes(labels, height, width, pieces.data, &holes, err);
    if (rc == 0)
        fill(labels, pieces.data, height * width, holes, max_area);
    spill_free(&pieces);
    free(holes);
    return rc;
}

/* ---- smoothing ---- */

/* Marks pixels within `radius` of a change of label along rows and columns. */
static void mark_changes(const uint32_t *labels, size_t height, size_t width, int radius,
                         uint8_t *near)
{
    size_t r = (size_t)radius;
    memset(near, 0, height * width);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            const uint32_t *p = labels + y * width + x;
            if (!((x + 1 < width && p[1] != p[0]) || (y + 1 < height && p[width] != p[0])))
                continue;
            size_t top = y > r ? y - r : 0, bottom = y + r + 2 < height ? y + r + 2 : height;
            size_t left = x > r ? x - r : 0, right = x + r + 2 < width ? x + r + 2 : width;
            for (size_t v = top; v < bottom; v++)
                memset(near + v * width + left, 1, right - left);
        }
}

#define MAX_VOTES 32

struct votes {
    uint32_t label[MAX_VOTES], count[MAX_VOTES];
    int used;
    uint32_t foreground, total;
};

static void vote(struct votes *v, uint32_t label)
{
    v->total++;
    v->foreground += label != 0;
    for (int i = 0; i < v->used; i++)
        if (v->label[i] == label) {
            v->count[i]++;
            return;
        }
    if (label && v->used < MAX_VOTES) {
        v->label[v->used] = label;
        v->count[v->used++] = 1;
    }
}

/* The most frequent label where the foreground has the majority; of equals the
 * pixel's own, else the first seen. */
static uint32_t elected(const struct votes *v, uint32_t own)
{
    if (2 * v->foreground <= v->total)
        return 2 * v->foreground == v->total ? own : 0;
    int best = 0;
    for (int i = 1; i < v->used; i++)
        if (v->count[i] > v->count[best] || (v->count[i] == v->count[best] && v->label[i] == own))
            best = i;
    return v->label[best];
}

static uint32_t majority(const uint32_t *labels, size_t height, size_t width, size_t y, size_t x,
                         int radius)
{
    struct votes votes = {.used = 0};
    for (int dy = -radius; dy <= radius; dy++)
        for (int dx = -radius; dx <= radius; dx++) {
            int64_t v = (int64_t)y + dy, u = (int64_t)x + dx;
            if (dy * dy + dx * dx <= radius * radius + radius && v >= 0 && u >= 0 &&
                v < (int64_t)height && u < (int64_t)width)
                vote(&votes, labels[(size_t)v * width + (size_t)u]);
        }
    return elected(&votes, labels[y * width + x]);
}

int labels_smooth(uint32_t *labels, size_t height, size_t width, int radius, struct err *err)
{
    size_t count = height * width;
    struct spill before, near;
    if (spill_new(&before, count * sizeof *labels, err))
        return -1;
    if (spill_new(&near, count, err)) {
        spill_free(&before);
        return -1;
    }
    memcpy(before.data, labels, count * sizeof *labels);
    mark_changes(before.data, height, width, radius, near.data);
    for (size_t i = 0; i < count; i++)
        if (((const uint8_t *)near.data)[i])
            labels[i] = majority(before.data, height, width, i / width, i % width, radius);
    spill_free(&before);
    spill_free(&near);
    return 0;
}

/* ---- removing and numbering objects ---- */

static void remove_marked(uint32_t *labels, size_t count, const struct intmap *marked)
{
    uint32_t last = 0;
    bool gone = false;
    for (size_t i = 0; i < count; i++) {
        if (labels[i] != last) {
            last = labels[i];
            gone = last && intmap_get(marked, last);
        }
        labels[i] = gone ? 0 : labels[i];
    }
}

static int mark(struct intmap *marked, uint32_t label, struct err *err)
{
    uint64_t *value = label ? intmap_at(marked, label, err) : NULL;
    if (value)
        *value = 1;
    return label && !value ? -1 : 0;
}

int labels_clear_border(uint32_t *labels, size_t height, size_t width, struct err *err)
{
    struct intmap marked = {0};
    int rc = 0;
    for (size_t x = 0; rc == 0 && height > 0 && x < width; x++)
        rc = mark(&marked, labels[x], err) | mark(&marked, labels[(height - 1) * width + x], err);
    for (size_t y = 0; rc == 0 && width > 0 && y < height; y++)
        rc = mark(&marked, labels[y * width], err) |
             mark(&marked, labels[y * width + width - 1], err);
    if (rc == 0)
        remove_marked(labels, height * width, &marked);
    intmap_free(&marked);
    return rc;
}

static int count_areas(const uint32_t *labels, size_t count, struct intmap *areas, struct err *err)
{
    for (size_t i = 0; i < count;) {
        size_t begin = i;
        while (i < count && labels[i] == labels[begin])
            i++;
        if (labels[begin] == 0)
            continue;
        uint64_t *area = intmap_at(areas, labels[begin], err);
        if (!area)
            return -1;
        *area += i - begin;
    }
    return 0;
}

int labels_remove_small(uint32_t *labels, size_t height, size_t width, uint64_t min_area,
                        struct err *err)
{
    struct intmap areas = {0};
    int rc = count_areas(labels, height * width, &areas, err);
    if (rc == 0) {
        for (size_t i = 0; i < areas.room; i++)
            areas.values[i] = areas.values[i] < min_area;
        remove_marked(labels, height * width, &areas);
    }
    intmap_free(&areas);
    return rc;
}

int labels_renumber(uint32_t *labels, size_t height, size_t width, uint32_t *count, struct err *err)
{
    struct intmap numbers = {0};
    uint32_t last = 0, number = 0;
    *count = 0;
    for (size_t i = 0; i < height * width; i++) {
        if (labels[i] != last) {
            last = labels[i];
            uint64_t *known = last ? intmap_at(&numbers, last, err) : NULL;
            if (last && !known) {
                intmap_free(&numbers);
                return -1;
            }
            if (known && *known == 0)
                *known = ++*count;
            number = known ? (uint32_t)*known : 0;
        }
        labels[i] = number;
    }
    intmap_free(&numbers);
    return 0;
}

uint32_t labels_max(const uint32_t *labels, size_t count)
{
    uint32_t max = 0;
    for (size_t i = 0; i < count; i++)
        max = labels[i] > max ? labels[i] : max;
    return max;
}
