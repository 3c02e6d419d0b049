/* Sections of tissue: nuclei, dark on a fibrous ground with clefts and lumens, or bright in the
 * haze of others that are out of focus. */
#include <stdlib.h>
#include <string.h>

#include "pixels/gaussian.h"
#include "pixels/kinds.h"
#include "pixels/noise.h"

enum { LUMENS = 48 };

struct lumen {
    double x, y, radius;
};

struct section {
    const struct population *population;
    double radius, contrast;
    bool glowing;
    /* the ground */
    double ground, fiber, fiber_width, fiber_length, bend, granular;
    double clefts, cleft_width; /* share of the ground, and scale */
    int lumens;
    struct lumen lumen[LUMENS];
    double ragged, wall;
    double lined; /* chance of a nucleus to line a lumen */
    /* the nuclei: shares of round dark, oval, and thin ones; of pale ones with a rim */
    double lymph, thin, pale;
    double stain, vary, chromatin, rim, edge, rough;
};

static void choose_lumens(struct section *s, const struct scene *scene, struct rng *rng)
{
    double w = (double)scene->width, h = (double)scene->height, r = s->radius;
    bool fat = rng_uniform(rng) < 0.3;
    double scale = r * (fat ? rng_between(rng, 3, 6) : rng_between(rng, 1.2, 5));
    double share = fat ? rng_between(rng, 0.15, 0.5) : rng_between(rng, 0.02, 0.15);
    int n = 1 + (int)((fat ? 3 : 1) * share * w * h / (PI * scale * scale));
    n = n > LUMENS ? LUMENS : n;
    for (int i = 0; i < n; i++) {
        struct lumen l = {rng_between(rng, 0, w), rng_between(rng, 0, h),
                          scale * exp(rng_normal(rng) * 0.3)};
        bool apart = true;
        for (int k = 0; k < s->lumens && apart; k++)
            apart = hypot(l.x - s->lumen[k].x, l.y - s->lumen[k].y) >
                    1.05 * (l.radius + s->lumen[k].radius);
        if (apart)
            s->lumen[s->lumens++] = l;
    }
    s->ragged = fat ? rng_between(rng, 0.03, 0.1) : rng_between(rng, 0.1, 0.3);
    s->wall = rng_between(rng, 0, 0.35);
    s->lined = fat ? rng_between(rng, 0, 0.15) : rng_between(rng, 0.2, 0.7);
}

static struct section choose_section(const struct scene *scene, const struct population *population,
                                     double contrast, struct rng *rng)
{
    double r = population->radius;
    struct section s = {
        .population = population,
        .radius = r,
        .contrast = contrast,
        .glowing = rng_uniform(rng) < 0.28,
        .ground = rng_between(rng, 0.35, 0.95),
        .fiber = rng_between(rng, 0.04, 0.25),
        .fiber_width = rng_between(rng, 1.2, 1.5 + 0.35 * r),
        .fiber_length = rng_between(rng, 2, 9),
        .bend = r * rng_between(rng, 1, 6),
        .granular = rng_between(rng, 0.02, 0.14),
        .clefts = rng_uniform(rng) < 0.7 ? rng_between(rng, 0.02, 0.25) : 0,
        .cleft_width = r * rng_between(rng, 1, 4),
        .lymph = rng_uniform(rng) < 0.3 ? rng_between(rng, 0.5, 0.95) : rng_between(rng, 0, 0.3),
        .thin = rng_uniform(rng) < 0.3 ? rng_between(rng, 0.4, 0.8) : rng_between(rng, 0, 0.25),
        .pale = rng_uniform(rng) < 0.5 ? rng_between(rng, 0.3, 0.95) : rng_between(rng, 0, 0.2),
        .stain = rng_between(rng, 0.55, 1.3),
        .vary = rng_between(rng, 0.08, 0.4),
        .chromatin = rng_between(rng, 0.05, 0.3),
        .rim = rng_between(rng, 0.15, 0.6),
        .edge = rng_between(rng, 0.5, 1.6),
        .rough = rng_between(rng, 0.02, 0.09),
    };
    if (!s.glowing && rng_uniform(rng) < 0.55)
        choose_lumens(&s, scene, rng);
    return s;
}

/* ---- the ground ---- */

/* How far outside of the holes, pixels; `bent` makes them less round. */
static double outside_at(const struct section *s, double x, double y, double bent)
{
    double outside = 1e9;
    for (int i = 0; i < s->lumens; i++) {
        const struct lumen *l = &s->lumen[i];
        double dx = x - l->x, dy = y - l->y, reach = 1.6 * l->radius + 8;
        if (fabs(dx) > reach || fabs(dy) > reach)
            continue;
        double here = sqrt(dx * dx + dy * dy) - l->radius * (1 + s->ragged * bent);
        outside = here < outside ? here : outside;
    }
    return outside;
}

/* What of the ground is left near a hole: nothing inside, in some a wall around it. */
static float solid_at(const struct section *s, double outside)
{
    double solid = outside / 1.5 + 0.5, wall = (outside - 1.5) / 2;
    solid = solid < 0.03 ? 0.03 : solid > 1 ? 1 : solid;
    return (float)(solid + (outside > 0 ? s->wall * exp(-wall * wall) : 0));
}

static void lay_ground(struct scene *scene, const struct section *s)
{
    const float *noise = scene->texture;
    double c = cos(s->population->direction), d = sin(s->population->direction), bend = s->bend;
    for (size_t iy = 0; iy < scene->height; iy++)
        for (size_t ix = 0; ix < scene->width; ix++) {
            double x = (double)ix, y = (double)iy, slow = 6 * s->radius;
            double wave_x = (double)noise_at(noise, TABLE, x / slow + 17, y / slow + 5);
            double wave_y = (double)noise_at(noise, TABLE, x / slow + 71, y / slow + 131);
            double bx = x + bend * wave_x, by = y + bend * wave_y;
            double u = bx * c + by * d, v = by * c - bx * d, width = s->fiber_width;
            float fiber = noise_at(noise, TABLE, u / (width * s->fiber_length), v / width);
            float coarse = noise_at(noise, TABLE, u / (4 * width * s->fiber_length) + 50,
                                    v / (4 * width) + 90);
            float t = (float)s->ground * (1 + 0.25f * (float)wave_x) +
                      (float)s->fiber * (0.7f * fiber + 0.6f * coarse) +
                      (float)s->granular * noise[(iy % TABLE) * TABLE + ix % TABLE];
            double q = s->cleft_width;
            float cleft = noise_at(noise, TABLE, u / (2 * q) + 200, v / q + 33) + 0.3f * fiber;
            float limit = (float)(1.9 - 5 * s->clefts);
            float open = s->clefts > 0 ? (cleft - limit) / 0.3f : 0;
            t *= 1 - 0.9f * (open < 0 ? 0 : open > 1 ? 1 : open);
            if (s->lumens > 0)
                t *= solid_at(s, outside_at(s, x, y,
                                            (double)noise_at(noise, TABLE, x / (2 * s->radius),
                                                             y / (2 * s->radius))));
            scene->thickness[iy * scene->width + ix] = t < 0 ? 0 : t;
        }
}

/* ---- nuclei ---- */

static void choose_spot(const struct section *s, const struct scene *scene, struct rng *rng,
                        double *x, double *y, double *direction)
{
    double w = (double)scene->width, h = (double)scene->height;
    const struct population *p = s->population;
    *direction = p->direction + PI * rng_normal(rng) * 0.5 * (1 - p->alignment);
    if (s->lumens > 0 && rng_uniform(rng) < s->lined) {
        const struct lumen *l = &s->lumen[rng_below(rng, (uint64_t)s->lumens)];
        double angle = rng_between(rng, 0, 2 * PI);
        double far = l->radius * (1 + 0.5 * s->ragged) + s->radius * rng_between(rng, 0.9, 2.4);
        *x = l->x + cos(angle) * far;
        *y = l->y + sin(angle) * far;
        *direction = angle + rng_normal(rng) * 0.25;
        return;
    }
    if (rng_uniform(rng) < p->crowding) {
        double angle = rng_between(rng, 0, 2 * PI), far = s->radius * rng_between(rng, 1.6, 3.2);
        *x += cos(angle) * far;
        *y += sin(angle) * far;
        if (*x > 0 && *y > 0 && *x < w && *y < h)
            return;
    }
    *x = rng_between(rng, -0.02, 1.02) * w;
    *y = rng_between(rng, -0.02, 1.02) * h;
}

static void make_nucleus(const struct section *s, struct cell *cell, double x, double y,
                         double direction, struct rng *rng)
{
    double kind = rng_uniform(rng), r = s->radius * exp(rng_normal(rng) * 0.15), oval;
    bool lymph = kind < s->lymph, thin = !lymph && kind < s->lymph + s->thin;
    r *= lymph ? 0.7 : thin ? 0.9 : rng_between(rng, 0.85, 1.25);
    oval = lymph  ? rng_between(rng, 0.85, 1)
           : thin ? rng_between(rng, 0.2, 0.45)
                  : rng_between(rng, 0.55, 0.95);
    cell_start(cell, rng, x, y, direction, r / sqrt(oval), r * sqrt(oval));
    cell_outline(rng, s->rough, 7, cell->outline);
    bool pale = !lymph && !thin && rng_uniform(rng) < s->pale;
    cell->rise = s->stain * exp(rng_normal(rng) * s->vary) * (pale ? 0.35 : lymph ? 1.2 : 1);
    cell->rise = cell->rise < 0.22 ? 0.22 : cell->rise;
    cell->dent = pale ? s->rim : 0; /* the dark rim */
    cell->grain = s->chromatin * (pale ? 1 : 0.6);
    cell->edge = s->edge;
    if (rng_uniform(rng) < (pale ? 0.7 : 0.15)) { /* a nucleolus */
        double at = rng_between(rng, 0, 2 * PI), far = rng_between(rng, 0, 0.4) * cell->b;
        cell->nucleus = fmax(cell->b * rng_between(rng, 0.15, 0.3), 0.8);
        cell->nucleus_x = x + cos(at) * far;
        cell->nucleus_y = y + sin(at) * far;
        cell->nucleus_rise = rng_between(rng, 0.2, 0.7);
    }
}

static float nucleus_stain(const struct scene *scene, const void *style, const struct cell *cell,
                           int64_t x, int64_t y, float inside)
{
    const struct section *s = style;
    float rim = inside / ((float)cell->edge + inside), wall = (inside - 1) / 1.3f;
    float t = (float)cell->rise * rim + (float)cell->dent * expf(-wall * wall);
    t += (float)cell->grain * texture_at(scene, cell, x, y) * rim;
    if (cell->nucleus > 0) {
        float dx = (float)((double)x - cell->nucleus_x), dy = (float)((double)y - cell->nucleus_y);
        t += (float)cell->nucleus_rise * rim *
             expf(-(dx * dx + dy * dy) / (float)(cell->nucleus * cell->nucleus));
    }
    t = t < 0.1f * rim ? 0.1f * rim : t;
    return t * (s->glowing ? 1 : (float)s->contrast);
}

static bool in_hole(const struct scene *scene, const struct section *s, double x, double y)
{
    if (s->glowing || x < 0 || y < 0 || x >= (double)scene->width || y >= (double)scene->height)
        return false;
    size_t i = (size_t)y * scene->width + (size_t)x;
    return scene->label[i] == 0 && (double)scene->thickness[i] < 0.4 * s->ground;
}

/* Nuclei until `coverage` of the image is theirs. */
static int lay_nuclei(struct scene *scene, const struct section *s, double coverage,
                      struct rng *rng, struct err *err)
{
    double pixels = (double)scene->width * (double)scene->height, covered = 0;
    double x = 0, y = 0, direction;
    int tries = 30 + (int)(10 * pixels * coverage / (2.5 * s->radius * s->radius)), result = 0;
    struct cell *cell = malloc(sizeof *cell);
    if (!cell)
        return err_memory(err, "a cell");
    while (result == 0 && tries-- > 0 && covered < coverage * pixels) {
        choose_spot(s, scene, rng, &x, &y, &direction);
        if (in_hole(scene, s, x, y))
            continue;
        make_nucleus(s, cell, x, y, direction, rng);
        struct box box;
        size_t area;
        result = scene_try(scene, cell, s->population->overlap, &box, &area, err);
        if (result || area == 0)
            continue;
        scene_lay(scene, cell, box, nucleus_stain, s);
        covered += (double)area;
    }
    free(cell);
    return result;
}

/* Nuclei above and below the focus: light without borders, no objects. */
static int lay_haze(struct scene *scene, const struct section *s, struct rng *rng, struct err *err)
{
    size_t n = scene->width * scene->height;
    double share = rng_between(rng, 0.1, 0.6), strength = rng_between(rng, 0.3, 1.4);
    int result = lay_nuclei(scene, s, share, rng, err);
    if (result == 0)
        result = gaussian_blur(scene->thickness, scene->height, scene->width, 1,
                               s->radius * rng_between(rng, 0.3, 0.9), err);
    for (size_t i = 0; i < n; i++)
        scene->thickness[i] *= (float)(strength * 0.6);
    memset(scene->label, 0, n * sizeof *scene->label);
    scene->cells = 0;
    return result;
}

static void light_section(const struct section *s, struct rng *rng, struct optics *o)
{
    *o = (struct optics){.sharp = rng_between(rng, 0.5, 1.4), .wide = 1};
    if (s->glowing) {
        o->ground = rng_between(rng, 0.01, 0.12);
        o->glow = rng_between(rng, 0.2, 0.7) * s->contrast;
        o->wide = s->radius * rng_between(rng, 0.8, 3);
        o->haze = rng_between(rng, 0.05, 0.6) * o->glow;
    } else {
        o->ground = rng_between(rng, 0.75, 0.98);
        o->absorb = rng_between(rng, 0.3, 0.48);
        o->fringe = rng_between(rng, 0, 0.12);
    }
}

int tissue_lay(struct scene *scene, const struct population *population, double contrast,
               struct rng *rng, struct optics *optics, struct err *err)
{
    struct section section = choose_section(scene, population, contrast, rng);
    light_section(&section, rng, optics);
    if (section.glowing) {
        if (lay_haze(scene, &section, rng, err))
            return -1;
    } else {
        lay_ground(scene, &section);
    }
    return lay_nuclei(scene, &section, population->coverage, rng, err);
}
