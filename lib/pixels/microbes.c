/* Bacteria and yeasts: cells that divide and stay beside each other. */
#include <stdlib.h>

#include "pixels/kinds.h"

enum {
    MEMBERS = 400, /* cells laid last, beside which the next may lie */
    ROD_POINTS = 21,
};

struct member {
    double x, y, angle, half_length, half_width; /* the half length counts the caps */
};

struct colony {
    size_t count;
    struct member members[MEMBERS];
};

static void join(struct colony *colony, const struct member *member)
{
    colony->members[colony->count++ % MEMBERS] = *member;
}

/* One of those laid so far, mostly one of the last. */
static const struct member *choose_mother(const struct colony *colony, struct rng *rng)
{
    size_t n = colony->count < MEMBERS ? colony->count : MEMBERS;
    double u = rng_uniform(rng);
    size_t back = (size_t)(u * u * (double)n);
    return &colony->members[(colony->count - 1 - back) % MEMBERS];
}

static struct member anywhere(const struct scene *scene, struct rng *rng)
{
    return (struct member){.x = rng_between(rng, -0.02, 1.02) * (double)scene->width,
                           .y = rng_between(rng, -0.02, 1.02) * (double)scene->height,
                           .angle = rng_between(rng, 0, 2 * PI)};
}

static bool lies_near(const struct scene *scene, const struct member *m)
{
    double reach = m->half_length;
    return m->x > -reach && m->y > -reach && m->x < (double)scene->width + reach &&
           m->y < (double)scene->height + reach;
}

static int wanted_tries(const struct scene *scene, double coverage, double area)
{
    double pixels = (double)scene->width * (double)scene->height;
    return 30 + (int)(12 * pixels * coverage / area);
}

/* What grows in colonies. */
struct culture {
    const void *style; /* of its cells, for the functions below */
    double area;       /* typical, pixels */
    double slender;    /* half lengths in half widths: longer cells lie on nearly none */
    struct member (*choose)(const struct scene *scene, const void *style,
                            const struct colony *colony, struct rng *rng);
    void (*make)(const void *style, const struct member *m, struct cell *cell, struct rng *rng);
    scene_paint *paint;
};

static int lay_culture(struct scene *scene, const struct population *population,
                       const struct culture *culture, struct rng *rng, struct err *err)
{
    double pixels = (double)scene->width * (double)scene->height, covered = 0;
    int tries = wanted_tries(scene, population->coverage, culture->area), result = 0;
    struct colony *colony = calloc(1, sizeof *colony);
    struct cell *cell = malloc(sizeof *cell);
    if (!colony || !cell)
        result = err_memory(err, "cells");
    while (result == 0 && tries-- > 0 && covered < population->coverage * pixels) {
        struct member m = culture->choose(scene, culture->style, colony, rng);
        if (!lies_near(scene, &m))
            continue;
        culture->make(culture->style, &m, cell, rng);
        bool slender = m.half_length > culture->slender * m.half_width;
        struct box box;
        size_t area;
        result = scene_try(scene, cell, slender ? 0.02 : population->overlap, &box, &area, err);
        if (result || area == 0)
            continue;
        scene_lay(scene, cell, box, culture->paint, culture->style);
        covered += (double)area;
        join(colony, &m);
    }
    free(cell);
    free(colony);
    return result;
}

/* ---- bacteria ---- */

struct strain {
    double half_width, widths, spread; /* of the rods: length in widths, and its deviation */
    double bend, filaments, cocci, dividing;
    double staying, chaining, jitter, gap;   /* how daughters lie to mothers */
    double edge, round, rim, grain, granule; /* profile and content */
    double vary;                             /* of the brightness of cells */
};

static struct strain choose_strain(const struct population *population, struct rng *rng)
{
    double r = population->radius;
    bool cocci = rng_uniform(rng) < 0.15, mixed = rng_uniform(rng) < 0.15;
    struct strain s = {
        .half_width = r,
        .widths = rng_between(rng, 2, 4),
        .spread = rng_between(rng, 0.1, 0.35),
        .bend = rng_uniform(rng) < 0.3 ? rng_between(rng, 0.2, 1) : rng_between(rng, 0, 0.2),
        .filaments = rng_uniform(rng) < 0.35 ? rng_between(rng, 0.02, 0.15) : 0,
        .cocci = cocci   ? 0.95
                 : mixed ? 0.3
                         : 0.01,
        .dividing = rng_between(rng, 0.1, 0.5),
        .staying = rng_uniform(rng) < 0.3 ? 0.25 : rng_between(rng, 0.8, 0.995),
        .chaining =
            rng_uniform(rng) < 0.3 ? rng_between(rng, 0.6, 0.95) : rng_between(rng, 0.1, 0.4),
        .jitter = rng_between(rng, 0.04, 0.3),
        .gap = rng_uniform(rng) < 0.5 ? 0.95 : rng_between(rng, 0.96, 1.12),
        .edge = rng_between(rng, 0.3, 0.25 + 0.25 * r),
        .round = rng_uniform(rng),
        .grain = rng_between(rng, 0.02, 0.15),
        .granule = rng_uniform(rng) < 0.3 ? rng_between(rng, -0.5, 0.5) : 0,
        .vary = rng_between(rng, 0.05, 0.2),
    };
    return s;
}

static void fill_rod(const struct strain *s, const struct member *m, struct cell *cell,
                     struct rng *rng)
{
    struct process *p = &cell->process[0];
    double length = 2 * (m->half_length - m->half_width), bend = rng_normal(rng) * s->bend;
    double pinch = rng_uniform(rng) < s->dividing ? rng_between(rng, 0.15, 0.6) : 0;
    double taper = rng_between(rng, 0, 0.15), step = length / (ROD_POINTS - 1);
    double width = 0.9 * m->half_width / length, angle = m->angle - bend / 2, x = 0, y = 0;
    p->points = ROD_POINTS;
    cell->processes = 1;
    double middle_x = 0, middle_y = 0;
    for (int i = 0; i < ROD_POINTS; i++) {
        double t = (double)i / (ROD_POINTS - 1) - 0.5, at = t / width;
        p->x[i] = (float)x;
        p->y[i] = (float)y;
        p->half_width[i] = (float)(m->half_width * (1 - pinch * exp(-at * at) - taper * 4 * t * t));
        middle_x += x / ROD_POINTS;
        middle_y += y / ROD_POINTS;
        x += cos(angle) * step;
        y += sin(angle) * step;
        angle += bend / (ROD_POINTS - 1);
    }
    for (int i = 0; i < ROD_POINTS; i++) {
        p->x[i] += (float)(m->x - middle_x);
        p->y[i] += (float)(m->y - middle_y);
    }
    cell->x = p->x[0];
    cell->y = p->y[0];
    cell->a = cell->b = 0.8 * m->half_width;
}

static void make_bacterium(const void *style, const struct member *m, struct cell *cell,
                           struct rng *rng)
{
    const struct strain *s = style;
    cell_start(cell, rng, m->x, m->y, m->angle, m->half_width, m->half_width);
    if (m->half_length > 1.15 * m->half_width)
        fill_rod(s, m, cell, rng);
    cell->rise = exp(rng_normal(rng) * s->vary);
    cell->edge = s->edge;
    cell->grain = s->grain;
    cell->dome = s->round;
    cell->dent = s->rim;
    cell->nucleus_rise = s->granule;
    cell->nucleus_x = m->x + cos(m->angle) * (m->half_length - m->half_width) * 0.8;
    cell->nucleus_y = m->y + sin(m->angle) * (m->half_length - m->half_width) * 0.8;
    cell->nucleus = 0.6 * m->half_width;
}

static float bacterium_thickness(const struct scene *scene, const void *style,
                                 const struct cell *cell, int64_t x, int64_t y, float inside)
{
    const struct strain *s = style;
    float rim = inside / ((float)cell->edge + inside), far = 1 - inside / (float)s->half_width;
    float across = far > 0 ? sqrtf(1 - far * far) : 1, wall = inside - 1;
    float dx = (float)((double)x - cell->nucleus_x), dy = (float)((double)y - cell->nucleus_y);
    float t = rim * (1 - (float)cell->dome) + across * (float)cell->dome;
    t = t * (1 - (float)cell->dent) + (float)cell->dent * expf(-wall * wall / 1.5f);
    t += rim * (float)cell->grain * texture_at(scene, cell, x, y);
    t += rim * (float)cell->nucleus_rise *
         expf(-(dx * dx + dy * dy) / (float)(cell->nucleus * cell->nucleus));
    return t * (float)cell->rise;
}

static struct member choose_bacterium(const struct scene *scene, const void *style,
                                      const struct colony *colony, struct rng *rng)
{
    const struct strain *s = style;
    struct member m = anywhere(scene, rng);
    m.half_width = s->half_width * exp(rng_normal(rng) * 0.06);
    bool coccus = rng_uniform(rng) < s->cocci;
    double widths = coccus ? (rng_uniform(rng) < 0.4 ? rng_between(rng, 1.2, 1.8) : 1)
                           : s->widths * exp(rng_normal(rng) * s->spread);
    if (!coccus && rng_uniform(rng) < s->filaments)
        widths *= rng_between(rng, 2, 6);
    m.half_length = m.half_width * (widths < 1 ? 1 : widths);
    if (colony->count == 0 || rng_uniform(rng) >= s->staying)
        return m;
    const struct member *mother = choose_mother(colony, rng);
    m.angle = mother->angle + rng_normal(rng) * s->jitter;
    double c = cos(mother->angle), d = sin(mother->angle);
    double side = rng_uniform(rng) < 0.5 ? -1 : 1, along, across;
    if (rng_uniform(rng) < s->chaining) {
        along = side * s->gap * (mother->half_length + m.half_length);
        across = rng_normal(rng) * 0.2 * m.half_width;
    } else {
        along = rng_between(rng, -0.8, 0.8) * mother->half_length;
        across = side * (mother->half_width + m.half_width) * s->gap * rng_between(rng, 0.98, 1.03);
    }
    m.x = mother->x + c * along - d * across;
    m.y = mother->y + d * along + c * across;
    return m;
}

static void light_bacteria(struct strain *s, double contrast, struct rng *rng, struct optics *o)
{
    double kind = rng_uniform(rng);
    *o = (struct optics){.sharp = rng_between(rng, 0.6, 1.3), .wide = 1};
    o->ground = rng_between(rng, 0.35, 0.7);
    if (kind < 0.45) { /* phase contrast */
        o->wide = 1.2 + s->half_width * rng_between(rng, 1.2, 3.5);
        o->fringe = rng_between(rng, 0.25, 0.7) * contrast;
        o->absorb = rng_between(rng, 0.1, 0.4) * contrast;
    } else if (kind < 0.7) {
        optics_brightfield(o, contrast, rng);
        o->absorb = rng_between(rng, 0.05, 0.35) * contrast;
    } else { /* fluorescence, of the content or, in some, of the membrane */
        o->ground = rng_between(rng, 0.01, 0.15);
        o->glow = rng_between(rng, 0.2, 0.75) * contrast;
        o->haze = rng_between(rng, 0, 0.35) * o->glow;
        o->wide = s->half_width * rng_between(rng, 1.5, 4);
        s->rim = rng_uniform(rng) < 0.3 && s->half_width > 2.5 ? rng_between(rng, 0.5, 0.9) : 0;
        s->vary = rng_between(rng, 0.1, 0.5);
    }
}

int bacteria_lay(struct scene *scene, const struct population *population, double contrast,
                 struct rng *rng, struct optics *optics, struct err *err)
{
    struct strain strain = choose_strain(population, rng);
    light_bacteria(&strain, contrast, rng, optics);
    struct culture culture = {&strain,
                              4 * strain.half_width * strain.half_width * strain.widths,
                              7,
                              choose_bacterium,
                              make_bacterium,
                              bacterium_thickness};
    return lay_culture(scene, population, &culture, rng, err);
}

/* ---- yeasts ---- */

struct brew {
    double radius, oval, budding, staying;
    double rim, rim_at, rim_width; /* the border's ring, and where it lies inside of it */
    double ring;                   /* the next one, of the other sign */
    double inside, grain;          /* thickness and texture of the content */
    double vacuoles, vacuole, vacuole_rim;
    double vary;
};

static struct brew choose_brew(double radius, struct rng *rng)
{
    double sign = rng_uniform(rng) < 0.6 ? 1 : -1, focus = rng_uniform(rng);
    return (struct brew){
        .radius = radius,
        .oval = rng_between(rng, 0.7, 0.95),
        .budding = rng_between(rng, 0.1, 0.6),
        .staying = rng_uniform(rng) < 0.35 ? 0.3 : rng_between(rng, 0.7, 0.98),
        .rim = sign * rng_between(rng, 0.35, 1),
        .rim_at = 0.5 + focus * 0.12 * radius,
        .rim_width = 0.9 + (0.02 + 0.1 * focus) * radius,
        .ring = rng_between(rng, 0, 0.8),
        .inside = rng_normal(rng) * 0.2,
        .grain = rng_between(rng, 0.01, 0.1),
        .vacuoles = rng_uniform(rng) < 0.6 ? rng_between(rng, 0.3, 0.95) : 0,
        .vacuole = (rng_uniform(rng) < 0.6 ? -1 : 1) * rng_between(rng, 0.1, 0.35),
        .vacuole_rim = rng_between(rng, -0.1, 0.35),
        .vary = rng_between(rng, 0.05, 0.25),
    };
}

/* A bud that is less than half as wide as its mother belongs to her. */
static void add_small_bud(const struct member *m, struct cell *cell, struct rng *rng)
{
    double r = m->half_width * rng_between(rng, 0.25, 0.48), angle = rng_between(rng, 0, 2 * PI);
    double far = 0.97 * m->half_width + 0.6 * r;
    struct process *p = &cell->process[0];
    p->points = 2;
    for (int i = 0; i < 2; i++) {
        p->x[i] = (float)(m->x + cos(angle) * (far + 0.2 * r * i));
        p->y[i] = (float)(m->y + sin(angle) * (far + 0.2 * r * i));
        p->half_width[i] = (float)r;
    }
    cell->processes = 1;
}

static void make_yeast(const void *style, const struct member *m, struct cell *cell,
                       struct rng *rng)
{
    const struct brew *s = style;
    double oval = s->oval + (1 - s->oval) * rng_uniform(rng);
    cell_start(cell, rng, m->x, m->y, m->angle, m->half_width / sqrt(oval),
               m->half_width * sqrt(oval));
    cell_outline(rng, 0.015, 4, cell->outline);
    if (rng_uniform(rng) < s->budding * 0.5)
        add_small_bud(m, cell, rng);
    cell->rise = exp(rng_normal(rng) * s->vary);
    cell->dome = s->inside + rng_normal(rng) * 0.06;
    cell->grain = s->grain;
    if (rng_uniform(rng) < s->vacuoles) {
        double angle = rng_between(rng, 0, 2 * PI);
        cell->nucleus = m->half_width * rng_between(rng, 0.25, 0.6);
        double far = rng_between(rng, 0, 0.85 * m->half_width - cell->nucleus);
        cell->nucleus_x = m->x + cos(angle) * far;
        cell->nucleus_y = m->y + sin(angle) * far;
        cell->nucleus_rise = s->vacuole * rng_between(rng, 0.5, 1.5);
    }
}

static inline float bell(float x, float width)
{
    x /= width;
    return expf(-x * x);
}

static float yeast_thickness(const struct scene *scene, const void *style, const struct cell *cell,
                             int64_t x, int64_t y, float inside)
{
    const struct brew *s = style;
    float width = (float)s->rim_width, at = (float)s->rim_at;
    float body = inside > 2 * width ? 1 : inside / (2 * width);
    float t = (float)s->rim * bell(inside - at, width) -
              (float)(s->ring * s->rim) * bell(inside - at - 2.2f * width, 1.4f * width);
    t += ((float)cell->dome + (float)cell->grain * texture_at(scene, cell, x, y)) * body;
    if (cell->nucleus > 0) {
        float dx = (float)((double)x - cell->nucleus_x), dy = (float)((double)y - cell->nucleus_y);
        float within = (float)cell->nucleus - sqrtf(dx * dx + dy * dy);
        t += (float)cell->nucleus_rise *
             (within > 1    ? 1
              : within > -1 ? (within + 1) / 2
                            : 0) *
             body;
        t += (float)s->vacuole_rim * bell(within, 1 + 0.06f * (float)s->radius) * body;
    }
    return t * (float)cell->rise;
}

static struct member choose_yeast(const struct scene *scene, const void *style,
                                  const struct colony *colony, struct rng *rng)
{
    const struct brew *s = style;
    struct member m = anywhere(scene, rng);
    m.half_width = s->radius * exp(rng_normal(rng) * 0.13);
    if (colony->count > 0 && rng_uniform(rng) < s->staying) {
        const struct member *mother = choose_mother(colony, rng);
        if (rng_uniform(rng) < s->budding)
            m.half_width = mother->half_width * rng_between(rng, 0.52, 0.9);
        m.half_width = m.half_width < 0.52 * s->radius ? 0.52 * s->radius : m.half_width;
        double far = (mother->half_width + m.half_width) * rng_between(rng, 0.93, 1.04);
        double angle = rng_between(rng, 0, 2 * PI);
        m.x = mother->x + cos(angle) * far;
        m.y = mother->y + sin(angle) * far;
        m.angle = angle;
    }
    m.half_length = m.half_width;
    return m;
}

static void light_yeast(struct brew *s, double contrast, struct rng *rng, struct optics *o)
{
    *o =
        (struct optics){.sharp = rng_between(rng, 0.6, 1.6), .ground = rng_between(rng, 0.35, 0.7)};
    double kind = rng_uniform(rng);
    if (kind < 0.7) { /* bright field: the rings are what is seen */
        o->absorb = rng_between(rng, 0.25, 0.7) * contrast;
        o->wide = 1 + s->radius * rng_between(rng, 0.1, 0.5);
        o->fringe = rng_between(rng, 0, 0.5) * contrast;
        double slant = fabs(rng_normal(rng)) * 0.12 * contrast, angle = rng_between(rng, 0, 2 * PI);
        o->slant_x = slant * cos(angle);
        o->slant_y = slant * sin(angle);
    } else { /* phase contrast: dark or, of thick cells, bright bodies in halos */
        s->rim *= 0.4;
        s->inside = (rng_uniform(rng) < 0.7 ? 1 : -1) * rng_between(rng, 0.4, 1);
        o->wide = 1 + s->radius * rng_between(rng, 0.2, 0.6);
        o->fringe = rng_between(rng, 0.3, 0.7) * contrast;
        o->absorb = rng_between(rng, 0.15, 0.45) * contrast;
    }
}

int yeast_lay(struct scene *scene, const struct population *population, double contrast,
              struct rng *rng, struct optics *optics, struct err *err)
{
    struct brew brew = choose_brew(population->radius, rng);
    light_yeast(&brew, contrast, rng, optics);
    struct culture culture = {
        &brew, 3 * brew.radius * brew.radius, INFINITY, choose_yeast, make_yeast, yeast_thickness};
    return lay_culture(scene, population, &culture, rng, err);
}
