#include "pixels/scene.h"

#include <stdlib.h>

#include "core/target.h"

void cell_outline(struct rng *rng, double roughness, int sharpest, float *outline)
{
    for (int i = 0; i <= TABLE; i++)
        outline[i] = 1;
    for (int k = 2; k <= sharpest; k++) {
        double size = rng_normal(rng) * roughness / pow(k, 0.8),
               phase = rng_between(rng, 0, 2 * PI);
        for (int i = 0; i <= TABLE; i++)
            outline[i] += (float)(size * cos(k * 2 * PI * i / TABLE + phase));
    }
    for (int i = 0; i <= TABLE; i++)
        outline[i] = outline[i] < 0.45f ? 0.45f : outline[i] > 1.9f ? 1.9f : outline[i];
}

void cell_crenate(float *outline, double spikes, double height, double turn)
{
    for (int i = 0; i <= TABLE; i++)
        outline[i] *= (float)(1 + height * cos(spikes * 2 * PI * i / TABLE + turn));
}

/* ---- rasterizing: signed distances to the border, positive inside ---- */

static void box_add(struct box *box, double x, double y, double reach)
{
    int64_t x0 = (int64_t)floor(x - reach), x1 = (int64_t)ceil(x + reach) + 1;
    int64_t y0 = (int64_t)floor(y - reach), y1 = (int64_t)ceil(y + reach) + 1;
    box->x0 = x0 < box->x0 ? x0 : box->x0;
    box->y0 = y0 < box->y0 ? y0 : box->y0;
    box->x1 = x1 > box->x1 ? x1 : box->x1;
    box->y1 = y1 > box->y1 ? y1 : box->y1;
}

static struct box clip(struct box box, struct box to)
{
    box.x0 = box.x0 < to.x0 ? to.x0 : box.x0;
    box.y0 = box.y0 < to.y0 ? to.y0 : box.y0;
    box.x1 = box.x1 > to.x1 ? to.x1 : box.x1;
    box.y1 = box.y1 > to.y1 ? to.y1 : box.y1;
    return box;
}

static struct box box_clip(struct box box, const struct scene *scene)
{
    return clip(box, (struct box){0, 0, (int64_t)scene->width, (int64_t)scene->height});
}

static struct box cell_box(const struct cell *cell, const struct scene *scene)
{
    struct box box = {INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN};
    box_add(&box, cell->x, cell->y, (cell->a > cell->b ? cell->a : cell->b) * 1.9 + 2);
    for (int i = 0; i < cell->processes; i++)
        for (int k = 0; k < cell->process[i].points; k++)
            box_add(&box, cell->process[i].x[k], cell->process[i].y[k],
                    cell->process[i].half_width[k] + cell->web + 2);
    return box_clip(box, scene);
}

/* atan2 in turns, in [0, 1), to about 1e-3. */
static inline float quick_turns(float y, float x)
{
    float ax = fabsf(x), ay = fabsf(y);
    float q = (ax < ay ? ax : ay) / ((ax < ay ? ay : ax) + 1e-12f);
    float t = q * (0.9724f - 0.1919f * q * q) * (float)(0.5 / PI);
    t = ay > ax ? 0.25f - t : t;
    t = x < 0 ? 0.5f - t : t;
    return y < 0 ? (t > 0 ? 1 - t : 0) : t;
}

CLONES(static, void, raster_body, (const struct cell *cell, struct box box, float *distance),
       (cell, box, distance))
{
    float inverse_a = (float)(1 / cell->a), inverse_b = (float)(1 / cell->b);
    float c = (float)cell->cosine, s = (float)cell->sine;
    float size = (float)(cell->a < cell->b ? cell->a : cell->b);
    for (int64_t y = box.y0; y < box.y1; y++)
        for (int64_t x = box.x0; x < box.x1; x++) {
            float dx = (float)((double)x - cell->x), dy = (float)((double)y - cell->y);
            float u = (dx * c + dy * s) * inverse_a, v = (dy * c - dx * s) * inverse_b;
            float square = u * u + v * v;
            if (square > 4) {
                *distance++ = FAR;
                continue;
            }
            float at = quick_turns(v, u) * TABLE;
            int i = (int)at;
            i = i < TABLE ? i : TABLE - 1;
            float part = at - (float)i;
            float border = cell->outline[i] * (1 - part) + cell->outline[i + 1] * part;
            *distance++ = (border - sqrtf(square)) * size;
        }
}

CLONES(static, void, raster_segment,
       (const struct process *p, int i, double reach, struct box box, float *distance),
       (p, i, reach, box, distance))
{
    struct box part = {INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN};
    box_add(&part, p->x[i], p->y[i], p->half_width[i] + reach);
    box_add(&part, p->x[i + 1], p->y[i + 1], p->half_width[i + 1] + reach);
    part = clip(part, box);
    float ex = p->x[i + 1] - p->x[i], ey = p->y[i + 1] - p->y[i];
    float inverse = 1 / (ex * ex + ey * ey + 1e-9f);
    size_t stride = (size_t)(box.x1 - box.x0);
    for (int64_t y = part.y0; y < part.y1; y++) {
        float *row = distance + (size_t)(y - box.y0) * stride;
        for (int64_t x = part.x0; x < part.x1; x++) {
            float dx = (float)x - p->x[i], dy = (float)y - p->y[i];
            float t = (dx * ex + dy * ey) * inverse;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            float qx = dx - t * ex, qy = dy - t * ey;
            float inside = p->half_width[i] + t * (p->half_width[i + 1] - p->half_width[i]) -
                           sqrtf(qx * qx + qy * qy);
            float *to = &row[x - box.x0];
            *to = inside > *to ? inside : *to;
        }
    }
}

/* The larger of two, rounded where they are nearly equal. */
static inline float smooth_max(float a, float b, float width)
{
    float larger = a > b ? a : b, gap = width - fabsf(a - b);
    return gap > 0 ? larger + gap * gap / (4 * width) : larger;
}

/* Distances of the whole cell in its box; `scratch` is as large. */
static void raster_cell(const struct cell *cell, struct box box, float *distance, float *scratch)
{
    size_t n = (size_t)((box.x1 - box.x0) * (box.y1 - box.y0));
    raster_body(cell, box, distance);
    if (cell->processes == 0)
        return;
    for (size_t i = 0; i < n; i++)
        scratch[i] = FAR;
    for (int i = 0; i < cell->processes; i++)
        for (int k = 0; k + 1 < cell->process[i].points; k++)
            raster_segment(&cell->process[i], k, cell->web + 1, box, scratch);
    float web = (float)cell->web;
    for (size_t i = 0; i < n; i++)
        distance[i] = web > 0 ? smooth_max(distance[i], scratch[i], web) : distance[i];
}

/* Part of the cell's pixels that other cells have already; 1 for an empty cell. */
static double taken(const struct scene *scene, struct box box, const float *distance, size_t *area)
{
    size_t others = 0;
    *area = 0;
    for (int64_t y = box.y0; y < box.y1; y++)
        for (int64_t x = box.x0; x < box.x1; x++)
            if (*distance++ > 0) {
                ++*area;
                others += scene->label[(size_t)y * scene->width + (size_t)x] != 0;
            }
    return *area ? (double)others / (double)*area : 1;
}

int scene_try(struct scene *scene, const struct cell *cell, double overlap, struct box *box,
              size_t *area, struct err *err)
{
    *box = cell_box(cell, scene);
    *area = 0;
    if (box->x1 <= box->x0 || box->y1 <= box->y0)
        return 0;
    size_t n = (size_t)((box->x1 - box->x0) * (box->y1 - box->y0));
    if (n > scene->capacity) {
        free(scene->distance);
        scene->capacity = 2 * n;
        scene->distance = malloc(2 * scene->capacity * sizeof *scene->distance);
        if (!scene->distance) {
            scene->capacity = 0;
            return err_memory(err, "a cell's pixels");
        }
    }
    raster_cell(cell, *box, scene->distance, scene->distance + scene->capacity);
    if (taken(scene, *box, scene->distance, area) > overlap)
        *area = 0;
    return 0;
}

void scene_lay(struct scene *scene, const struct cell *cell, struct box box, scene_paint *paint,
               const void *style)
{
    uint32_t label = ++scene->cells;
    const float *distance = scene->distance;
    for (int64_t y = box.y0; y < box.y1; y++)
        for (int64_t x = box.x0; x < box.x1; x++) {
            float inside = *distance++;
            size_t i = (size_t)y * scene->width + (size_t)x;
            bool free_here = scene->label[i] == 0;
            if (inside <= 0 || (!free_here && !scene->additive))
                continue;
            scene->thickness[i] += paint(scene, style, cell, x, y, inside);
            if (free_here)
                scene->label[i] = label;
        }
}

void cell_start(struct cell *cell, struct rng *rng, double x, double y, double direction, double a,
                double b)
{
    *cell = (struct cell){.x = x,
                          .y = y,
                          .cosine = cos(direction),
                          .sine = sin(direction),
                          .a = a,
                          .b = b,
                          .web = 0.01};
    for (int i = 0; i <= TABLE; i++)
        cell->outline[i] = 1;
    cell->texture_x = (unsigned)rng_below(rng, TABLE);
    cell->texture_y = (unsigned)rng_below(rng, TABLE);
}

void scene_speck(struct scene *scene, double x, double y, double radius, double light, double ring)
{
    struct box box = {INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN};
    box_add(&box, x, y, 2.5 * radius);
    box = box_clip(box, scene);
    for (int64_t py = box.y0; py < box.y1; py++)
        for (int64_t px = box.x0; px < box.x1; px++) {
            double dx = (double)px - x, dy = (double)py - y,
                   q = (dx * dx + dy * dy) / (radius * radius);
            double profile = exp(-q) - ring * exp(-(q - 2) * (q - 2));
            scene->glow[(size_t)py * scene->width + (size_t)px] += (float)(light * profile);
        }
}

void optics_brightfield(struct optics *o, double contrast, struct rng *rng)
{
    bool slanted = rng_uniform(rng) < 0.35;
    double slant = slanted ? rng_between(rng, 0.3, 0.9) : fabs(rng_normal(rng)) * 0.3;
    double angle = rng_between(rng, 0, 2 * PI);
    double fringe = slanted ? rng_between(rng, 0, 0.3) : rng_between(rng, 0.4, 1.1);
    o->wide = o->sharp * rng_between(rng, 1.8, 4);
    o->fringe = (rng_uniform(rng) < 0.5 ? -1 : 1) * fringe * contrast;
    o->absorb = rng_between(rng, -0.02, 0.05) * contrast;
    o->slant_x = slant * cos(angle) * contrast;
    o->slant_y = slant * sin(angle) * contrast;
}
