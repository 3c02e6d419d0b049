#include "pixels/synth.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "pixels/gaussian.h"
#include "pixels/kinds.h"
#include "pixels/monolayer.h"
#include "pixels/scene.h"

/* ---- outlines ---- */

/* A bent arm from (x, y) in direction `angle`, tapering from `base` to `tip`. */
static void grow_process(struct rng *rng, struct process *p, double x, double y, double angle,
                         double length, double base, double tip, double bend)
{
    p->points = 5 + (int)(length / 12);
    p->points = p->points > MAX_POINTS ? MAX_POINTS : p->points;
    double turn = rng_normal(rng) * bend;
    for (int i = 0; i < p->points; i++) {
        double t = (double)i / (p->points - 1);
        p->x[i] = (float)x;
        p->y[i] = (float)y;
        p->half_width[i] = (float)(tip + (base - tip) * pow(1 - t, 1.7));
        x += cos(angle) * length / (p->points - 1);
        y += sin(angle) * length / (p->points - 1);
        turn = 0.8 * turn + 0.2 * rng_normal(rng) * bend * 2;
        angle += turn / 3;
    }
}

/* Arms leave the body about evenly spread, each perhaps with a branch. */
static void grow_arms(struct rng *rng, struct cell *cell, int arms, double length, double base,
                      double tip, double spread, double branch)
{
    double direction = atan2(cell->sine, cell->cosine);
    for (int i = 0; i < arms && cell->processes < MAX_PROCESSES - 1; i++) {
        double around = 2 * PI * i / arms + rng_normal(rng) * spread;
        double angle = direction + around;
        double reach = 0.6 / sqrt(pow(cos(around) / cell->a, 2) + pow(sin(around) / cell->b, 2));
        double l = length * exp(rng_normal(rng) * 0.5);
        struct process *p = &cell->process[cell->processes++];
        grow_process(rng, p, cell->x + cos(angle) * reach, cell->y + sin(angle) * reach, angle, l,
                     base * rng_between(rng, 0.6, 1.2), tip, 0.35);
        if (rng_uniform(rng) < branch) {
            int at = p->points / 3 + (int)rng_below(rng, (uint64_t)p->points / 2);
            double side = rng_uniform(rng) < 0.5 ? -1 : 1;
            grow_process(rng, &cell->process[cell->processes++], p->x[at], p->y[at],
                         angle + side * rng_between(rng, 0.4, 1.1), l * rng_between(rng, 0.3, 0.7),
                         p->half_width[at], tip, 0.35);
        }
    }
}

static void shape_spindle(struct rng *rng, struct cell *cell, double radius)
{
    cell->a = radius * rng_between(rng, 1.4, 2.6);
    cell->b = radius * rng_between(rng, 0.5, 0.9);
    cell_outline(rng, 0.08, 6, cell->outline);
    grow_arms(rng, cell, 2, radius * rng_between(rng, 1.5, 4), cell->b * 0.6,
              rng_between(rng, 0.8, 1.6), 0.15, 0.1);
}

static void shape_branched(struct rng *rng, struct cell *cell, double radius)
{
    cell->a = radius * rng_between(rng, 0.8, 1.3);
    cell->b = radius * rng_between(rng, 0.6, 0.95);
    cell_outline(rng, 0.22, 9, cell->outline);
    int arms = 3 + (int)rng_below(rng, 4);
    grow_arms(rng, cell, arms, radius * rng_between(rng, 0.6, 2), radius * 0.35,
              rng_between(rng, 0.8, 2), 0.35, 0.3);
}

/* A small body with one or two long thin arms. */
static void shape_neuron(struct rng *rng, struct cell *cell, double radius)
{
    cell->a = radius * rng_between(rng, 0.5, 0.9);
    cell->b = cell->a * rng_between(rng, 0.6, 1);
    cell_outline(rng, 0.1, 5, cell->outline);
    int arms = 1 + (int)rng_below(rng, 3);
    grow_arms(rng, cell, arms, radius * rng_between(rng, 2.5, 7), radius * 0.2, 0.85, 0.5, 0.35);
}

/* Spread out, flat, with ragged skirts. */
static void shape_flat(struct rng *rng, struct cell *cell, double radius)
{
    cell->a = radius * rng_between(rng, 1.1, 1.9);
    cell->b = radius * rng_between(rng, 0.8, 1.4);
    cell_outline(rng, 0.28, 12, cell->outline);
}

static void shape_round(struct rng *rng, struct cell *cell, double radius)
{
    cell->a = radius * rng_between(rng, 0.45, 0.75);
    cell->b = cell->a * rng_between(rng, 0.85, 1);
    cell_outline(rng, 0.03, 5, cell->outline);
}

static void shape_nucleus(struct rng *rng, struct cell *cell, double radius)
{
    cell->a = radius * rng_between(rng, 0.9, 1.35);
    cell->b = cell->a * rng_between(rng, 0.5, 1);
    cell_outline(rng, 0.06, 5, cell->outline);
}

static void shape_red_cell(struct rng *rng, struct cell *cell, double radius)
{
    cell->a = radius * rng_between(rng, 0.92, 1.1);
    cell->b = cell->a *
              (rng_uniform(rng) < 0.85 ? rng_between(rng, 0.85, 1) : rng_between(rng, 0.45, 0.85));
    cell_outline(rng, 0.02, 4, cell->outline);
    if (rng_uniform(rng) < 0.06) /* crenated */
        cell_crenate(cell->outline, 11, 0.1, 0);
}

/* ---- what a kind of image is made of ---- */

static int choose_kind(struct rng *rng, const struct style *style)
{
    double at = rng_uniform(rng);
    int kind = 0;
    while (kind < 4 && at >= style->share[kind])
        at -= style->share[kind++];
    return kind;
}

static void fill_adherent(struct rng *rng, struct cell *cell, double radius,
                          const struct style *style)
{
    static void (*const shape[])(struct rng *, struct cell *, double) = {
        shape_spindle, shape_branched, shape_neuron, shape_flat, shape_round};
    int kind = choose_kind(rng, style);
    bool round = kind == 4;
    shape[kind](rng, cell, radius);
    cell->web = radius * rng_between(rng, 0.15, 0.5);
    cell->edge = round ? 3 : rng_between(rng, 1.2, 3.5);
    cell->rise = rng_between(rng, 0.25, 0.6) * style->rise;
    cell->dome = (round ? rng_between(rng, 0.3, 1.2) : rng_between(rng, 0.2, 0.8)) * style->rise;
    cell->grain = rng_between(rng, 0.03, 0.16) * style->grain;
    cell->glow = round ? rng_between(rng, -0.1, 0.2) : rng_normal(rng) * 0.02;
    cell->nucleus = round ? 0 : rng_between(rng, 0.35, 0.6);
    cell->nucleus_rise = rng_between(rng, -0.15, 0.3);
}

static void fill_nucleus(struct rng *rng, struct cell *cell, double radius)
{
    shape_nucleus(rng, cell, radius * rng_between(rng, 0.7, 1.2));
    cell->edge = rng_between(rng, 1, 2.5);
    cell->rise = rng_between(rng, 0.35, 1);
    cell->dome = rng_between(rng, 0, 0.35);
    cell->grain = rng_between(rng, 0.02, 0.15) * cell->rise;
}

static void fill_red_cell(struct rng *rng, struct cell *cell, double radius)
{
    shape_red_cell(rng, cell, radius);
    cell->edge = rng_between(rng, 1, 2);
    cell->rise = rng_between(rng, 0.7, 1);
    cell->dent = rng_between(rng, 0, 0.75);
    cell->grain = 0.02;
    if (rng_uniform(rng) < 0.03) { /* a white cell among them */
        cell->a *= 1.5;
        cell->b *= 1.5;
        cell->dent = 0;
        cell->rise = 0.4;
        cell->grain = 0.08;
        cell->nucleus = 0.65;
        cell->nucleus_rise = 1.2;
    }
}

static void make_cell(struct rng *rng, enum synth_look look, double x, double y, double radius,
                      double direction, const struct style *style, struct cell *cell)
{
    cell->x = x;
    cell->y = y;
    cell->cosine = cos(direction);
    cell->sine = sin(direction);
    cell->processes = 0;
    cell->web = cell->dent = cell->glow = cell->nucleus = cell->dome = cell->nucleus_rise = 0;
    cell->nucleus_x = rng_normal(rng) * 0.12;
    cell->nucleus_y = rng_normal(rng) * 0.12;
    cell->texture_x = (unsigned)rng_below(rng, TABLE);
    cell->texture_y = (unsigned)rng_below(rng, TABLE);
    if (look == SYNTH_FLUORESCENCE)
        fill_nucleus(rng, cell, radius);
    else if (look == SYNTH_BLOOD)
        fill_red_cell(rng, cell, radius);
    else
        fill_adherent(rng, cell, radius, style);
}

/* ---- laying a cell on the scene ---- */

/* Thickness at a pixel that is `inside` pixels from the border. */
static float thickness(const struct scene *scene, const struct cell *cell, int64_t x, int64_t y,
                       float inside)
{
    float dx = (float)((double)x - cell->x), dy = (float)((double)y - cell->y);
    float u = (float)((dx * cell->cosine + dy * cell->sine) / cell->a);
    float v = (float)((dy * cell->cosine - dx * cell->sine) / cell->b);
    float rim = inside / ((float)cell->edge + inside);
    float middle = 1 - (u * u + v * v);
    middle = middle < 0 ? 0 : middle;
    float t = (float)cell->rise * rim + (float)cell->dome * middle * rim;
    t *= 1 - (float)cell->dent * middle * middle;
    if (cell->nucleus > 0) {
        float nu = (u - (float)cell->nucleus_x) / (float)cell->nucleus;
        float nv = (v - (float)cell->nucleus_y) / (float)cell->nucleus;
        float within = 1 - (nu * nu + nv * nv);
        if (within > 0)
            t += (float)cell->nucleus_rise * (within > 0.3f ? 1 : within / 0.3f);
    }
    return t + (float)cell->grain * texture_at(scene, cell, x, y) * rim;
}

static void lay_cell(struct scene *scene, const struct cell *cell, struct box box,
                     const float *distance, uint32_t label)
{
    for (int64_t y = box.y0; y < box.y1; y++)
        for (int64_t x = box.x0; x < box.x1; x++) {
            float inside = *distance++;
            if (inside <= 0)
                continue;
            size_t i = (size_t)y * scene->width + (size_t)x;
            float t = thickness(scene, cell, x, y, inside);
            bool wins = scene->label[i] == 0 || (!scene->additive && t > scene->thickness[i]);
            scene->thickness[i] = scene->additive ? scene->thickness[i] + t
                                  : wins          ? t
                                                  : scene->thickness[i];
            scene->label[i] = wins ? label : scene->label[i];
            float rim = inside > 4 ? 1 : inside / 4;
            scene->glow[i] += (float)cell->glow * rim;
        }
}

/* Somewhere at random, or beside the cell laid before. */
static void choose_place(struct rng *rng, const struct scene *scene,
                         const struct population *population, double *x, double *y)
{
    double w = (double)scene->width, h = (double)scene->height;
    if (rng_uniform(rng) < population->crowding) {
        double angle = rng_between(rng, 0, 2 * PI),
               far = population->radius * rng_between(rng, 1.5, 3);
        *x += cos(angle) * far;
        *y += sin(angle) * far;
        if (*x > 0 && *y > 0 && *x < w && *y < h)
            return;
    }
    *x = rng_between(rng, -0.03, 1.03) * w;
    *y = rng_between(rng, -0.03, 1.03) * h;
}

static int populate(struct scene *scene, const struct population *population, enum synth_look look,
                    struct rng *rng, struct err *err)
{
    double pixels = (double)scene->width * (double)scene->height, covered = 0, x = 0, y = 0;
    int tries = 20 + (int)(6 * pixels * population->coverage /
                           (population->radius * population->radius * PI));
    struct cell *cell = malloc(sizeof *cell);
    if (!cell)
        return err_memory(err, "a cell");
    int result = 0;
    for (int i = 0; i < tries && covered < population->coverage * pixels; i++) {
        choose_place(rng, scene, population, &x, &y);
        double direction =
            population->direction + rng_between(rng, -PI, PI) * (1 - population->alignment);
        double radius = population->radius * exp(rng_normal(rng) * 0.18);
        make_cell(rng, look, x, y, radius, direction, &population->style, cell);
        struct box box;
        size_t area;
        result = scene_try(scene, cell, population->overlap, &box, &area, err);
        if (result)
            break;
        if (area)
            lay_cell(scene, cell, box, scene->distance, ++scene->cells);
        covered += (double)area;
    }
    free(cell);
    return result;
}

/* ---- things that are no cells ---- */

/* Debris: bright and dark specks, many in some images, and a few faint large ones
 * out of focus. */
static void lay_debris(struct scene *scene, double radius, struct rng *rng)
{
    double area = (double)scene->width * (double)scene->height;
    double many = area / 15000 * exp(rng_normal(rng) * 1.1), largest = 2 + 0.15 * radius;
    for (int i = 0; i < (int)many; i++) {
        double x = rng_between(rng, 0, (double)scene->width);
        double y = rng_between(rng, 0, (double)scene->height);
        bool blurred = rng_uniform(rng) < 0.2;
        double u = rng_uniform(rng);
        double size = blurred ? radius * rng_between(rng, 0.3, 0.8) : 0.8 + u * u * largest;
        double light = rng_normal(rng) * (blurred ? 0.06 : 0.22);
        scene_speck(scene, x, y, size, light, rng_between(rng, 0, 0.6));
    }
}

/* ---- light ---- */

static struct optics choose_optics(const struct synth_options *options, double radius,
                                   struct rng *rng)
{
    struct optics o = {.sharp = rng_between(rng, 0.6, 1.5), .ground = rng_between(rng, 0.35, 0.7)};
    double contrast = options->contrast;
    enum synth_look look = options->look;
    if (look == SYNTH_MONOLAYER)
        look = rng_uniform(rng) < 0.5 ? SYNTH_PHASE : SYNTH_BRIGHTFIELD;
    switch (look) {
    case SYNTH_PHASE:
        o.wide = 1 + radius * rng_between(rng, 0.08, 0.6);
        o.fringe = rng_between(rng, 0.2, 0.6) * contrast;
        o.absorb = rng_between(rng, 0, 0.08) * contrast;
        break;
    case SYNTH_FLUORESCENCE:
        o.ground = rng_between(rng, 0.01, 0.12);
        o.glow = rng_between(rng, 0.15, 0.8) * contrast;
        o.wide = 1;
        break;
    case SYNTH_BLOOD:
        o.ground = rng_between(rng, 0.75, 0.95);
        o.absorb = rng_between(rng, 0.25, 0.5) * contrast;
        o.wide = 2;
        o.fringe = rng_between(rng, 0, 0.1);
        break;
    default:
        optics_brightfield(&o, contrast, rng);
        break;
    }
    return o;
}

/* What all looks have: uneven light and noise. */
static void choose_flaws(struct optics *o, double noise, struct rng *rng)
{
    o->tilt_x = rng_normal(rng) * 0.1;
    o->tilt_y = rng_normal(rng) * 0.1;
    o->vignette = rng_between(rng, 0, 0.25);
    o->mottle = rng_between(rng, 0, 0.012);
    o->shot = rng_between(rng, 0.002, 0.02) * noise;
    o->read = rng_between(rng, 0.002, 0.012) * noise;
}

static float derivative(const float *t, size_t i, size_t step, bool first, bool last)
{
    return (last ? t[i] : t[i + step]) - (first ? t[i] : t[i - step]);
}

/* The texture, eight times as coarse. */
static float cloud_at(const float *texture, size_t x, size_t y)
{
    size_t x0 = x / 8 % TABLE, y0 = y / 8 % TABLE;
    size_t x1 = (x0 + 1) % TABLE, y1 = (y0 + 1) % TABLE;
    float u = (float)(x % 8) / 8, v = (float)(y % 8) / 8;
    float upper = texture[y0 * TABLE + x0] * (1 - u) + texture[y0 * TABLE + x1] * u;
    float lower = texture[y1 * TABLE + x0] * (1 - u) + texture[y1 * TABLE + x1] * u;
    return upper * (1 - v) + lower * v;
}

static void develop(const struct scene *scene, const struct optics *o, const float *wide,
                    struct rng *rng, uint8_t *image)
{
    size_t w = scene->width, h = scene->height;
    const float *t = scene->thickness;
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++) {
            size_t i = y * w + x;
            float u = (float)x / (float)w - 0.5f, v = (float)y / (float)h - 0.5f;
            float light = 1 - (float)o->fringe * (t[i] - wide[i]) - (float)o->absorb * t[i] +
                          (float)o->slant_x * derivative(t, i, 1, x == 0, x + 1 == w) +
                          (float)o->slant_y * derivative(t, i, w, y == 0, y + 1 == h);
            if (o->glow > 0)
                light = (float)(o->ground + o->glow * t[i]);
            else
                light *= (float)o->ground;
            light += scene->glow[i] + (float)o->haze * wide[i];
            light += (float)o->mottle * cloud_at(scene->texture, x, y);
            light *= 1 + (float)o->tilt_x * u + (float)o->tilt_y * v -
                     (float)o->vignette * 2 * (u * u + v * v);
            float noise = (float)o->read + (float)o->shot * sqrtf(light > 0 ? light : 0);
            light += noise * rng_quick_normal(rng);
            light = light < 0 ? 0 : light > 1 ? 1 : light;
            image[i] = (uint8_t)(light * 255 + 0.5f);
        }
}

static int expose(struct scene *scene, const struct optics *optics, struct rng *rng, uint8_t *image,
                  struct err *err)
{
    size_t n = scene->width * scene->height;
    if (gaussian_blur(scene->thickness, scene->height, scene->width, 1, optics->sharp, err))
        return -1;
    float *wide = malloc(n * sizeof *wide);
    if (!wide)
        return err_memory(err, "an image");
    memcpy(wide, scene->thickness, n * sizeof *wide);
    int result = gaussian_blur(wide, scene->height, scene->width, 1, optics->wide, err);
    if (result == 0)
        develop(scene, optics, wide, rng, image);
    free(wide);
    return result;
}

/* ---- all together ---- */

/* Smooth noise at two scales, wrapping around closely enough for a texture. */
static int make_texture(float *texture, struct rng *rng, struct err *err)
{
    float fine[TABLE * TABLE / 64];
    for (size_t i = 0; i < TABLE * TABLE; i++)
        texture[i] = rng_quick_normal(rng);
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        fine[i] = rng_quick_normal(rng);
    double scale = rng_between(rng, 0.8, 2.4); /* its blur divides the deviation by 3.54 scale */
    if (gaussian_blur(texture, TABLE, TABLE, 1, scale, err))
        return -1;
    for (size_t y = 0; y < TABLE; y++)
        for (size_t x = 0; x < TABLE; x++)
            texture[y * TABLE + x] = (float)(3.2 * scale) * texture[y * TABLE + x] +
                                     0.6f * fine[y / 8 * (TABLE / 8) + x / 8];
    return gaussian_blur(texture, TABLE, TABLE, 1, 0.7, err);
}

/* Mixtures differ from image to image: some have one kind of cell only. */
static struct style make_style(struct rng *rng)
{
    static const double usual[] = {0.3, 0.3, 0.15, 0.15, 0.1};
    struct style style;
    double sum = 0;
    for (int i = 0; i < 5; i++)
        sum += style.share[i] = usual[i] * exp(rng_normal(rng) * 1.3);
    for (int i = 0; i < 5; i++)
        style.share[i] /= sum;
    style.grain = exp(rng_normal(rng) * 0.7);
    style.rise = exp(rng_normal(rng) * 0.35);
    return style;
}

static struct population choose_population(const struct synth_options *options, struct rng *rng)
{
    static const struct {
        double radius_low, radius_high, coverage_low, coverage_high, overlap;
    } typical[SYNTH_LOOKS] = {
        [SYNTH_BRIGHTFIELD] = {10, 64, 0.03, 0.7, 0.15},
        [SYNTH_PHASE] = {7, 40, 0.03, 0.8, 0.15},
        [SYNTH_FLUORESCENCE] = {7, 26, 0.05, 0.35, 0.12},
        [SYNTH_BLOOD] = {14, 36, 0.15, 0.5, 0.25},
        [SYNTH_MONOLAYER] = {9, 48, 0.3, 1, 1},
        [SYNTH_BACTERIA] = {1.8, 6, 0.02, 0.5, 0.06},
        [SYNTH_YEAST] = {6, 30, 0.05, 0.6, 0.06},
        [SYNTH_CYTOPLASM] = {9, 48, 0.2, 1.1, 0.06},
        [SYNTH_TISSUE] = {4.5, 17, 0.1, 0.5, 0.1},
        [SYNTH_SMEAR] = {10, 40, 0.12, 0.6, 0.12},
        [SYNTH_DIC] = {14, 80, 0.2, 0.8, 0.12},
    };
    double radius = typical[options->look].radius_low *
                    pow(typical[options->look].radius_high / typical[options->look].radius_low,
                        rng_uniform(rng));
    double coverage =
        rng_between(rng, typical[options->look].coverage_low, typical[options->look].coverage_high);
    struct population population = {
        .radius = options->radius > 0 ? options->radius : radius,
        .coverage = options->coverage > 0 ? options->coverage : coverage,
        .crowding = rng_uniform(rng) < 0.5 ? 0.75 : 0.2,
        .direction = rng_between(rng, -PI, PI),
        .alignment = rng_uniform(rng) < 0.3 ? rng_between(rng, 0.5, 0.9) : 0,
        .overlap = typical[options->look].overlap,
    };
    population.style = make_style(rng);
    return population;
}

static int lay_sheet(struct scene *scene, const struct population *population, double reach,
                     struct rng *rng, struct err *err)
{
    struct monolayer sheet = {.width = scene->width,
                              .height = scene->height,
                              .radius = population->radius,
                              .reach = reach,
                              .coverage = population->coverage,
                              .noise = scene->texture,
                              .side = TABLE};
    return monolayer_lay(&sheet, rng, scene->thickness, scene->label, &scene->cells, err);
}

/* The sheet, and a few cells that came off it or divide: round ones, on top. */
static int lay_monolayer(struct scene *scene, struct population *population, struct rng *rng,
                         struct err *err)
{
    if (lay_sheet(scene, population, 1.7, rng, err))
        return -1;
    population->style = (struct style){.share = {[4] = 1}, .grain = 1, .rise = 1};
    population->coverage = rng_uniform(rng) < 0.5 ? 0 : rng_between(rng, 0, 0.03);
    return populate(scene, population, SYNTH_MONOLAYER, rng, err);
}

/* Flat cells apart or, in half of the images, a sheet; then their stain. */
static int lay_cytoplasm(struct scene *scene, struct population *population, double contrast,
                         struct rng *rng, struct optics *optics, struct err *err)
{
    if (rng_uniform(rng) < 0.55) {
        population->coverage = population->coverage < 1 ? population->coverage : 1;
        if (lay_sheet(scene, population, rng_between(rng, 0.95, 1.5), rng, err))
            return -1;
    } else {
        population->coverage = population->coverage < 0.6 ? population->coverage : 0.6;
        population->style = rng_uniform(rng) < 0.5
                                ? (struct style){{0.42, 0.16, 0.02, 0.28, 0.12}, 1, 1}
                                : (struct style){{0.85, 0.05, 0, 0.05, 0.05}, 1, 1};
        if (populate(scene, population, SYNTH_PHASE, rng, err))
            return -1;
    }
    return cytoplasm_stain(scene, population, contrast, rng, optics, err);
}

static int lay_dic(struct scene *scene, struct population *population, double contrast,
                   struct rng *rng, struct optics *optics, struct err *err)
{
    population->style = (struct style){{0.25, 0.2, 0.05, 0.42, 0.08}, population->style.grain, 1};
    if (populate(scene, population, SYNTH_BRIGHTFIELD, rng, err))
        return -1;
    dic_see(scene, population, contrast, rng, optics);
    return 0;
}

static int lay_cells(struct scene *scene, const struct synth_options *options,
                     struct population *population, struct rng *rng, struct optics *optics,
                     struct err *err)
{
    double contrast = options->contrast;
    switch (options->look) {
    case SYNTH_BACTERIA:
        return bacteria_lay(scene, population, contrast, rng, optics, err);
    case SYNTH_YEAST:
        return yeast_lay(scene, population, contrast, rng, optics, err);
    case SYNTH_CYTOPLASM:
        return lay_cytoplasm(scene, population, contrast, rng, optics, err);
    case SYNTH_TISSUE:
        return tissue_lay(scene, population, contrast, rng, optics, err);
    case SYNTH_SMEAR:
        return smear_lay(scene, population, contrast, rng, optics, err);
    case SYNTH_DIC:
        return lay_dic(scene, population, contrast, rng, optics, err);
    case SYNTH_MONOLAYER:
        return lay_monolayer(scene, population, rng, err);
    default:
        return populate(scene, population, options->look, rng, err);
    }
}

static int draw_on(struct scene *scene, const struct synth_options *options, struct rng *rng,
                   uint8_t *image, struct err *err)
{
    struct population population = choose_population(options, rng);
    struct optics optics = {0};
    if (make_texture(scene->texture, rng, err) ||
        lay_cells(scene, options, &population, rng, &optics, err))
        return -1;
    bool stained = options->look == SYNTH_CYTOPLASM || options->look == SYNTH_TISSUE;
    if (!stained)
        lay_debris(scene,
                   options->look == SYNTH_BACTERIA ? 3 * population.radius : population.radius,
                   rng);
    if (options->look <= SYNTH_MONOLAYER)
        optics = choose_optics(options, population.radius, rng);
    choose_flaws(&optics, options->noise, rng);
    return expose(scene, &optics, rng, image, err);
}

int synth_draw(const struct synth_options *options, struct rng *rng, struct array *image,
               struct array *labels, struct err *err)
{
    size_t shape[] = {options->height, options->width, 1};
    struct array planes = {0};
    *image = *labels = (struct array){0};
    if (options->height == 0 || options->width == 0)
        return err_set(err, STATUS_USAGE, "draw an image: no pixels");
    size_t floats[] = {2, options->height, options->width};
    if (array_new(&planes, DTYPE_F32, 3, floats, err) ||
        array_new(image, DTYPE_U8, 3, shape, err) || array_new(labels, DTYPE_U32, 2, shape, err))
        goto failed;
    float *texture = malloc(TABLE * TABLE * sizeof *texture);
    if (!texture) {
        err_memory(err, "a texture");
        goto failed;
    }
    size_t n = options->height * options->width;
    struct scene scene = {
        .width = options->width,
        .height = options->height,
        .thickness = planes.data,
        .glow = (float *)planes.data + n,
        .label = labels->data,
        .texture = texture,
        .additive = options->look == SYNTH_BLOOD || options->look == SYNTH_SMEAR,
    };
    int result = draw_on(&scene, options, rng, image->data, err);
    free(texture);
    free(scene.distance);
    if (result == 0) {
        array_free(&planes);
        return 0;
    }
failed:
    array_free(&planes);
    array_free(image);
    array_free(labels);
    return -1;
}
