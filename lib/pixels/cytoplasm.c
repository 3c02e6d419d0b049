/* The stain of whole cells: brightness, fibers and nucleus of each, and bright seams. */
#include <stdlib.h>
#include <string.h>

#include "pixels/gaussian.h"
#include "pixels/kinds.h"
#include "pixels/noise.h"

struct stain {                       /* of one cell */
    double x, y, xx, xy, yy, pixels; /* sums, then center and covariance of its pixels */
    uint32_t label;
    float bright, fibers, cosine, sine, nucleus, spot;
    float inverse_a, inverse_b; /* of its nucleus */
    float shift;
};

struct dye {
    double vary, fibers, fineness, grain, fall, nucleus, nucleus_size, seams, seam_width;
};

static struct dye choose_dye(double radius, struct rng *rng)
{
    double kind = rng_uniform(rng);
    return (struct dye){
        .vary = rng_between(rng, 0.1, 0.75),
        .fibers = rng_uniform(rng) < 0.5 ? rng_between(rng, 0.1, 0.6) : 0,
        .fineness = rng_between(rng, 1.2, 2.5),
        .grain = rng_between(rng, 0.02, 0.25),
        .fall = rng_between(rng, 0, 0.8),
        .nucleus = kind < 0.45  ? rng_between(rng, -0.85, -0.3)
                   : kind < 0.7 ? rng_between(rng, 0.3, 1.5)
                                : 0,
        .nucleus_size = rng_between(rng, 0.35, 0.6),
        .seams = rng_uniform(rng) < 0.35 ? rng_between(rng, 0.4, 1.6) : 0,
        .seam_width = rng_between(rng, 0.6, 0.8 + 0.03 * radius),
    };
}

static void sum_pixels(const struct scene *scene, struct stain *stains)
{
    for (size_t y = 0; y < scene->height; y++)
        for (size_t x = 0; x < scene->width; x++) {
            struct stain *s = &stains[scene->label[y * scene->width + x]];
            double fx = (double)x, fy = (double)y;
            s->pixels++;
            s->x += fx;
            s->y += fy;
            s->xx += fx * fx;
            s->xy += fx * fy;
            s->yy += fy * fy;
        }
}

/* What the moments of a cell's pixels say of its center and direction, and chance of the rest. */
static void choose_stain(struct stain *s, const struct dye *dye, struct rng *rng)
{
    double n = s->pixels;
    s->x /= n;
    s->y /= n;
    double xx = s->xx / n - s->x * s->x + 0.1, yy = s->yy / n - s->y * s->y + 0.1;
    double xy = s->xy / n - s->x * s->y, half = (xx - yy) / 2;
    double root = sqrt(half * half + xy * xy), angle = 0.5 * atan2(2 * xy, xx - yy);
    double large = sqrt((xx + yy) / 2 + root), small = sqrt(fmax((xx + yy) / 2 - root, 0.1));
    double b = 2 * small * dye->nucleus_size, a = fmin(2 * large * dye->nucleus_size, 1.6 * b);
    s->inverse_a = (float)(1 / a);
    s->inverse_b = (float)(1 / b);
    s->cosine = (float)cos(angle);
    s->sine = (float)sin(angle);
    s->x += rng_normal(rng) * 0.15 * a * s->cosine;
    s->y += rng_normal(rng) * 0.15 * a * s->sine;
    s->bright = (float)exp(rng_normal(rng) * dye->vary);
    s->bright = s->bright < 0.3f ? 0.3f : s->bright > 2.2f ? 2.2f : s->bright;
    s->fibers = (float)(dye->fibers * rng_between(rng, 0.3, 1.3));
    s->nucleus = (float)(dye->nucleus * rng_between(rng, 0.7, 1.1));
    s->shift = (float)rng_between(rng, 0, TABLE);
}

static float stain_at(const struct scene *scene, const struct dye *dye, const struct stain *s,
                      float base, size_t x, size_t y)
{
    float dx = (float)((double)x - s->x), dy = (float)((double)y - s->y);
    float u = dx * s->cosine + dy * s->sine, v = dy * s->cosine - dx * s->sine;
    float far = sqrtf(u * s->inverse_a * u * s->inverse_a + v * s->inverse_b * v * s->inverse_b);
    float bend = 0.06f * u * v * s->inverse_a;
    float t = base * (1 - (float)dye->fall * (far < 2.5f ? far / 2.5f : 1));
    if (s->fibers > 0)
        t *= 1 + s->fibers * noise_at(scene->texture, TABLE,
                                      s->shift + (double)u / (9 * dye->fineness),
                                      (double)((v + bend) / (float)dye->fineness));
    t *= 1 + (float)dye->grain * noise_at(scene->texture, TABLE, (double)((float)x + s->shift),
                                          (double)((float)y + s->shift));
    float within = (1 - far) / 0.15f;
    t *= 1 + s->nucleus * (within > 1 ? 1 : within < 0 ? 0 : within);
    return t < 0.12f * base ? 0.12f * base : t;
}

/* Where cells meet each other and, weaker, where one ends. */
static int lay_seams(struct scene *scene, const struct dye *dye, const struct stain *stains,
                     struct err *err)
{
    size_t w = scene->width, h = scene->height;
    float *seam = calloc(w * h, sizeof *seam);
    if (!seam)
        return err_memory(err, "an image");
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++) {
            size_t i = y * w + x;
            uint32_t l = scene->label[i], right = x + 1 < w ? scene->label[i + 1] : l,
                     below = y + 1 < h ? scene->label[i + w] : l;
            bool ends = l != right || l != below, meets = l && right && below;
            if (ends)
                seam[i] = (meets ? 1 : 0.45f) * (0.5f + 0.5f * stains[l       ? l
                                                                      : right ? right
                                                                              : below]
                                                                   .bright);
        }
    int result = gaussian_blur(seam, h, w, 1, dye->seam_width, err);
    float height = (float)(dye->seams * dye->seam_width * 1.6);
    for (size_t i = 0; result == 0 && i < w * h; i++)
        scene->thickness[i] += height * seam[i];
    free(seam);
    return result;
}

/* Numbers without gaps: what lies outside of the image or below others has no pixels. */
static void number_anew(struct scene *scene, struct stain *stains)
{
    uint32_t cells = 0;
    for (uint32_t i = 1; i <= scene->cells; i++)
        stains[i].label = stains[i].pixels > 0 ? ++cells : 0;
    for (size_t i = 0; i < scene->width * scene->height; i++)
        scene->label[i] = stains[scene->label[i]].label;
    scene->cells = cells;
}

static void light_cytoplasm(double radius, double contrast, struct rng *rng, struct optics *o)
{
    *o = (struct optics){.sharp = rng_between(rng, 0.6, 1.8),
                         .ground = rng_between(rng, 0.01, 0.12),
                         .glow = rng_between(rng, 0.25, 0.8) * contrast};
    o->wide = 2 + radius * rng_between(rng, 0.2, 0.6);
    o->haze = rng_uniform(rng) < 0.5 ? rng_between(rng, 0, 0.3) * o->glow : 0;
}

int cytoplasm_stain(struct scene *scene, const struct population *population, double contrast,
                    struct rng *rng, struct optics *optics, struct err *err)
{
    struct dye dye = choose_dye(population->radius, rng);
    light_cytoplasm(population->radius, contrast, rng, optics);
    struct stain *stains = calloc((size_t)scene->cells + 1, sizeof *stains);
    if (!stains)
        return err_memory(err, "the stain of cells");
    sum_pixels(scene, stains);
    for (uint32_t i = 1; i <= scene->cells; i++)
        if (stains[i].pixels > 0)
            choose_stain(&stains[i], &dye, rng);
    for (size_t y = 0; y < scene->height; y++)
        for (size_t x = 0; x < scene->width; x++) {
            size_t i = y * scene->width + x;
            const struct stain *s = &stains[scene->label[i]];
            float base = scene->thickness[i] < 0.05f ? 0.05f : scene->thickness[i];
            if (scene->label[i])
                scene->thickness[i] =
                    stain_at(scene, &dye, s, 0.15f + 0.8f * base, x, y) * s->bright;
            scene->glow[i] = 0;
        }
    int result = dye.seams > 0 ? lay_seams(scene, &dye, stains, err) : 0;
    if (result == 0)
        number_anew(scene, stains);
    free(stains);
    return result;
}
