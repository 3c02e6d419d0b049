#include "objects/ridges.h"

#include <stdlib.h>

#include "core/spill.h"
#include "objects/components.h"
#include "objects/edt.h"
#include "pixels/gaussian.h"

#define SIGMA    1.5f  /* of the hill's Gaussian, pixels */
#define STRAIGHT 0.75f /* cosine of the largest turn */

/* ---- the hill ---- */

static int smoothed_distance(const float *inside, size_t height, size_t width, uint8_t *outside,
                             float *distance, struct err *err)
{
    for (size_t i = 0; i < height * width; i++)
        outside[i] = inside[i] == 0;
    return edt_distance(outside, height, width, 1, 1, distance, err) ||
                   gaussian_blur(distance, height, width, 1, SIGMA, err)
               ? -1
               : 0;
}

int ridge_hill(const float *inside, size_t height, size_t width, double *hill, struct err *err)
{
    size_t count = height * width;
    uint8_t *outside = malloc(count + 1);
    float *distance = malloc(count * sizeof *distance + 1);
    int rc = outside && distance ? smoothed_distance(inside, height, width, outside, distance, err)
                                 : err_memory(err, "distances in an object");
    for (size_t i = 0; rc == 0 && i < count; i++)
        hill[i] = distance[i];
    free(outside);
    free(distance);
    return rc;
}

/* ---- up the hill ---- */

struct vector {
    float y, x;
};

/* Between four pixels; beyond the image it is as on its edge. */
static struct vector step_at(const float *steps, size_t height, size_t width, struct vector at)
{
    size_t row = (size_t)at.y, column = (size_t)at.x;
    size_t down = row + 1 < height ? 2 * width : 0, next = column + 1 < width ? 2 : 0;
    const float *s = steps + 2 * (row * width + column);
    float v = at.y - (float)row, u = at.x - (float)column;
    float a = (1 - v) * (1 - u), b = (1 - v) * u, c = v * (1 - u), d = v * u;
    return (struct vector){a * s[0] + b * s[next] + c * s[down] + d * s[down + next],
                           a * s[1] + b * s[next + 1] + c * s[down + 1] + d * s[down + next + 1]};
}

static float within(float value, size_t count)
{
    float last = (float)(count - 1);
    return value < 0 ? 0 : value > last ? last : value;
}

static uint32_t reach(const float *steps, size_t height, size_t width, int count, uint32_t start)
{
    struct vector at = {(float)(start / width), (float)(start % width)};
    struct vector first = step_at(steps, height, width, at), step = first;
    float least = STRAIGHT * (first.y * first.y + first.x * first.x);
    for (int i = 0; i < count && first.y * step.y + first.x * step.x > least; i++) {
        at.y = within(at.y + step.y, height);
        at.x = within(at.x + step.x, width);
        step = step_at(steps, height, width, at);
    }
    return (uint32_t)((size_t)(at.y + 0.5f) * width + (size_t)(at.x + 0.5f));
}

void ridge_reach(const float *steps, size_t height, size_t width, int count, const uint32_t *start,
                 uint32_t *end, size_t pixels)
{
    for (size_t i = 0; i < pixels; i++)
        end[i] = reach(steps, height, width, count, start[i]);
}

/* ---- what touches ---- */

#define REACH 3 /* pixels between the ends of neighbors that stay together */

struct meeting {
    size_t height, width;
    uint32_t *arrival; /* of each pixel that went: 1 + where it ended */
    uint32_t *place;   /* number of the places that touch, 0: nobody ended there */
    uint32_t *whole;   /* of each such number one that is the same cell, union-find */
};

static uint32_t first_of(uint32_t *whole, uint32_t a)
{
    while (whole[a] != a)
        a = whole[a] = whole[whole[a]];
    return a;
}

/* Neighbors that arrive side by side are of one cell: where a branch leaves a body, its ends and
 * those of the body do not touch. */
static void join(struct meeting *m, size_t a, size_t b)
{
    if (!m->arrival[a] || !m->arrival[b])
        return;
    size_t from = m->arrival[a] - 1, to = m->arrival[b] - 1;
    int64_t dy = (int64_t)(from / m->width) - (int64_t)(to / m->width);
    int64_t dx = (int64_t)(from % m->width) - (int64_t)(to % m->width);
    uint32_t p = first_of(m->whole, m->place[from]), q = first_of(m->whole, m->place[to]);
    if (dy * dy + dx * dx <= REACH * REACH)
        m->whole[p > q ? p : q] = p > q ? q : p;
}

static void join_all(struct meeting *m, uint32_t count)
{
    for (uint32_t i = 0; i <= count; i++)
        m->whole[i] = i;
    for (size_t i = 0; i < m->height * m->width; i++) {
        if ((i + 1) % m->width)
            join(m, i, i + 1);
        if (i + m->width < m->height * m->width)
            join(m, i, i + m->width);
    }
}

static int meet(struct meeting *m, const uint32_t *start, const uint32_t *end, size_t pixels,
                uint32_t *labels, struct err *err)
{
    uint32_t count;
    for (size_t i = 0; i < pixels; i++) {
        m->place[end[i]] = 1;
        m->arrival[start[i]] = end[i] + 1;
    }
    if (components_label(m->place, m->height, m->width, 8, m->place, &count, err))
        return -1;
    join_all(m, count);
    for (size_t i = 0; i < pixels; i++)
        labels[start[i]] = first_of(m->whole, m->place[end[i]]);
    return 0;
}

int ridge_gather(const uint32_t *start, const uint32_t *end, size_t pixels, size_t height,
                 size_t width, uint32_t *labels, struct err *err)
{
    struct spill rooms[3] = {0};
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = spill_new(&rooms[i], (height * width + 1) * sizeof(uint32_t), err);
    struct meeting m = {height, width, rooms[0].data, rooms[1].data, rooms[2].data};
    if (rc == 0)
        rc = meet(&m, start, end, pixels, labels, err);
    for (int i = 0; i < 3; i++)
        spill_free(&rooms[i]);
    return rc;
}
