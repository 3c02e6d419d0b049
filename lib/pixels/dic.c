/* Differential interference contrast: cells that lie already, seen as a landscape under slanted
 * light, full of granules. */
#include <string.h>

#include "pixels/kinds.h"

/* A bump or a pit in the thickness. */
static void lay_granule(struct scene *scene, double x, double y, double radius, double rise)
{
    int64_t reach = (int64_t)(2.5 * radius) + 1;
    for (int64_t py = (int64_t)y - reach; py <= (int64_t)y + reach; py++)
        for (int64_t px = (int64_t)x - reach; px <= (int64_t)x + reach; px++) {
            if (px < 0 || py < 0 || px >= (int64_t)scene->width || py >= (int64_t)scene->height)
                continue;
            double dx = (double)px - x, dy = (double)py - y;
            scene->thickness[(size_t)py * scene->width + (size_t)px] +=
                (float)(rise * exp(-(dx * dx + dy * dy) / (radius * radius)));
        }
}

/* Granules crowd where the texture says, and thin out on the ground. */
static void lay_granules(struct scene *scene, double radius, struct rng *rng)
{
    double size = rng_between(rng, 0.7, 1.2 + 0.02 * radius), rise = rng_between(rng, 0.05, 0.35);
    double dense = rng_between(rng, 0, 1.2) / (size * size * 8), pits = rng_uniform(rng) * 0.5;
    size_t many = (size_t)(dense * (double)scene->width * (double)scene->height);
    size_t shift = rng_below(rng, TABLE), coarse = 2 + (size_t)(radius / 12);
    for (size_t i = 0; i < many; i++) {
        size_t column = rng_below(rng, scene->width), row = rng_below(rng, scene->height);
        float crowd = scene->texture[(row / coarse + shift) % TABLE * TABLE +
                                     (column / coarse + shift) % TABLE];
        bool inside = scene->label[row * scene->width + column] > 0;
        double high = rise * rng_between(rng, 0.4, 1) * (rng_uniform(rng) < pits ? -1 : 1);
        if (inside ? crowd > 0.2f : rng_uniform(rng) < 0.02)
            lay_granule(scene, (double)column, (double)row, size * rng_between(rng, 0.7, 1.4),
                        high);
    }
}

void dic_see(struct scene *scene, const struct population *population, double contrast,
             struct rng *rng, struct optics *optics)
{
    double angle = rng_between(rng, 0, 2 * PI), steep = 0.4 + population->radius / 40;
    double slant = rng_between(rng, 0.4, 1.4) * steep * contrast;
    memset(scene->glow, 0, scene->width * scene->height * sizeof *scene->glow);
    lay_granules(scene, population->radius, rng);
    *optics = (struct optics){.sharp = rng_between(rng, 0.5, 1.4),
                              .ground = rng_between(rng, 0.35, 0.65),
                              .wide = 3,
                              .fringe = rng_between(rng, -0.08, 0.08) * contrast,
                              .absorb = rng_between(rng, -0.02, 0.04) * contrast,
                              .slant_x = slant * cos(angle),
                              .slant_y = slant * sin(angle)};
}
