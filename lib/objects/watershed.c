#include "objects/watershed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/spill.h"
#include "objects/edt.h"
#include "objects/morphology.h"
#include "objects/regions.h"

#define NONE      UINT32_MAX
#define MIN_DEPTH 2 /* pixels: outlines are no smoother than that */

/* One object in its bounding box, with a margin of one pixel where the image goes on. */
struct piece {
    size_t top, left, height, width;
    uint32_t label;
    double depth, least; /* of a valley: of the lower peak, and at all */
    uint8_t *inside;
    float *map;
    uint32_t *order;  /* inside pixels, highest first */
    uint32_t *basin;  /* pixel -> a pixel of its basin, union-find; NONE before it is taken */
    uint32_t *number; /* peak pixel -> label */
    size_t count, room;
    struct spill rooms[5]; /* of these arrays */
};

static int reserve(struct piece *p, struct err *err)
{
    size_t need = p->height * p->width;
    if (need <= p->room)
        return 0;
    if (need >= NONE)
        return err_set(err, STATUS_DATA, "an object of %zu x %zu pixels", p->width, p->height);
    p->room = 0;
    for (int i = 0; i < 5; i++) {
        spill_free(&p->rooms[i]);
        if (spill_new(&p->rooms[i], need * (i ? sizeof(uint32_t) : 1), err))
            return -1;
    }
    p->inside = p->rooms[0].data;
    p->map = p->rooms[1].data;
    p->order = p->rooms[2].data;
    p->basin = p->rooms[3].data;
    p->number = p->rooms[4].data;
    p->room = need;
    return 0;
}

static void piece_free(struct piece *p)
{
    for (int i = 0; i < 5; i++)
        spill_free(&p->rooms[i]);
}

static void place(struct piece *p, const struct box *box, size_t height, size_t width)
{
    p->top = box->top > 0 ? box->top - 1 : 0;
    p->left = box->left > 0 ? box->left - 1 : 0;
    p->height = (box->bottom < height ? box->bottom + 1 : height) - p->top;
    p->width = (box->right < width ? box->right + 1 : width) - p->left;
}

static int load(struct piece *p, const uint32_t *labels, size_t width, const float *map,
                struct err *err)
{
    size_t count = p->height * p->width;
    for (size_t i = 0; i < count; i++) {
        size_t at = (p->top + i / p->width) * width + p->left + i % p->width;
        p->inside[i] = labels[at] != p->label;
        if (map)
            p->map[i] = map[at];
    }
    if (!map && edt_distance(p->inside, p->height, p->width, 1, 1, p->map, err))
        return -1;
    p->count = 0;
    for (size_t i = 0; i < count; i++) {
        p->inside[i] = !p->inside[i];
        p->basin[i] = NONE;
        if (p->inside[i])
            p->order[p->count++] = (uint32_t)i;
    }
    return 0;
}

/* Positive floats sort as their bits do. */
static uint32_t sort_key(float value)
{
    uint32_t bits;
    value = value > 0 ? value : 0;
    memcpy(&bits, &value, sizeof bits);
    return UINT32_MAX - bits;
}

/* Stable, by four passes of 8 bits; after them the order is where it was. */
static int sort_order(struct piece *p, struct err *err)
{
    struct spill spare;
    if (spill_new(&spare, p->count * sizeof(uint32_t), err))
        return -1;
    uint32_t *from = p->order, *to = spare.data;
    for (int shift = 0; shift < 32; shift += 8) {
        size_t starts[257] = {0};
        for (size_t i = 0; i < p->count; i++)
            starts[(sort_key(p->map[from[i]]) >> shift & 0xff) + 1]++;
        for (size_t i = 0; i < 256; i++)
            starts[i + 1] += starts[i];
        for (size_t i = 0; i < p->count; i++)
            to[starts[sort_key(p->map[from[i]]) >> shift & 0xff]++] = from[i];
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    spill_free(&spare);
    return 0;
}

static uint32_t peak_of(uint32_t *basin, uint32_t at)
{
    while (basin[at] != at) {
        basin[at] = basin[basin[at]];
        at = basin[at];
    }
    return at;
}

/* Whether two basins that meet at `saddle` are one object. */
static bool is_shallow(const struct piece *p, uint32_t a, uint32_t b, float saddle)
{
    double lower = p->map[a] < p->map[b] ? p->map[a] : p->map[b], depth = lower - saddle;
    return depth <= p->depth * lower || depth < p->least;
}

static size_t neighbors_of(const struct piece *p, uint32_t at, uint32_t *neighbors)
{
    size_t y = at / p->width, x = at % p->width, count = 0;
    for (int d = 0; d < 9; d++) {
        size_t v = y + (size_t)(d / 3) - 1, u = x + (size_t)(d % 3) - 1;
        if (d != 4 && v < p->height && u < p->width && p->inside[v * p->width + u])
            neighbors[count++] = (uint32_t)(v * p->width + u);
    }
    return count;
}

static void take_pixel(struct piece *p, uint32_t at)
{
    uint32_t neighbors[8], best = NONE;
    size_t count = neighbors_of(p, at, neighbors);
    for (size_t i = 0; i < count; i++)
        if (p->basin[neighbors[i]] != NONE && (best == NONE || p->map[neighbors[i]] > p->map[best]))
            best = neighbors[i];
    p->basin[at] = best == NONE ? at : peak_of(p->basin, best);
    for (size_t i = 0; best != NONE && i < count; i++) {
        if (p->basin[neighbors[i]] == NONE)
            continue;
        uint32_t a = peak_of(p->basin, at), b = peak_of(p->basin, neighbors[i]);
        if (a == b || !is_shallow(p, a, b, p->map[at]))
            continue;
        bool first = p->map[a] > p->map[b] || (a < b && p->map[a] == p->map[b]);
        p->basin[first ? b : a] = first ? a : b;
    }
}

/* Writes the basins as labels *next, *next + 1, ...; a lone one keeps the object's. */
static int store(struct piece *p, uint32_t *labels, size_t width, uint32_t *next, struct err *err)
{
    bool first = true;
    for (size_t i = 0; i < p->count; i++)
        p->number[p->order[i]] = 0;
    for (size_t i = 0; i < p->count; i++) {
        uint32_t at = p->order[i], peak = peak_of(p->basin, at);
        if (!p->number[peak] && !first && *next == UINT32_MAX)
            return err_set(err, STATUS_DATA, "more than %u objects", UINT32_MAX - 1);
        if (!p->number[peak])
            p->number[peak] = first ? p->label : (*next)++;
        first = false;
        labels[(p->top + at / p->width) * width + p->left + at % p->width] = p->number[peak];
    }
    return 0;
}

static int split(struct piece *p, uint32_t *labels, size_t width, const float *map, uint32_t *next,
                 struct err *err)
{
    if (reserve(p, err) || load(p, labels, width, map, err) || sort_order(p, err))
        return -1;
    for (size_t i = 0; i < p->count; i++)
        take_pixel(p, p->order[i]);
    return store(p, labels, width, next, err);
}

int watershed_split(uint32_t *labels, size_t height, size_t width, const float *map, double depth,
                    uint32_t *count, struct err *err)
{
    struct piece piece = {.depth = depth, .least = map ? 0 : MIN_DEPTH};
    struct boxes boxes;
    uint32_t next = *count + 1;
    if (boxes_of(&boxes, labels, height, width, err))
        return -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < boxes.count; i++) {
        piece.label = boxes.items[i].label;
        place(&piece, &boxes.items[i], height, width);
        rc = split(&piece, labels, width, map, &next, err);
    }
    piece_free(&piece);
    boxes_free(&boxes);
    return rc ? -1 : labels_renumber(labels, height, width, count, err);
}
