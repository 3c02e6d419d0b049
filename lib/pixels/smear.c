/* A stained smear of blood: white cells with lobed dark nuclei among pale red ones. */
#include <stdlib.h>

#include "pixels/kinds.h"

enum { LOBES = 6 };

struct smear {
    double radius, white; /* of red cells; chance of a white one */
    double red, dent, edge;
    double plasm, plasm_grain, nucleus, nucleus_grain, nucleus_edge;
};

/* The lobes of a nucleus, and the bridges between them, as distances about the cell's center. */
struct lobe {
    float x, y, radius;
};

struct white {
    const struct smear *smear;
    int lobes; /* 0: a red cell */
    struct lobe lobe[LOBES];
    float melt; /* how far lobes melt together, pixels */
    float plasm, nucleus;
};

static struct smear choose_smear(double radius, struct rng *rng)
{
    return (struct smear){
        .radius = radius,
        .white = rng_uniform(rng) < 0.25 ? rng_between(rng, 0.4, 1) : rng_between(rng, 0.03, 0.3),
        .red = rng_between(rng, 0.25, 0.8),
        .dent = rng_between(rng, 0, 0.8),
        .edge = rng_between(rng, 0.6, 0.8 + 0.06 * radius),
        .plasm = rng_between(rng, 0.12, 0.7),
        .plasm_grain = rng_between(rng, 0.02, 0.14),
        .nucleus = rng_between(rng, 0.7, 1.6),
        .nucleus_grain = rng_between(rng, 0.04, 0.25),
        .nucleus_edge = rng_between(rng, 0.6, 1.5 + 0.05 * radius),
    };
}

/* Lymphocyte: nearly all nucleus; monocyte: a bean; granulocyte: two to five lobes on an arc. */
static void choose_lobes(struct white *w, double radius, struct rng *rng)
{
    double kind = rng_uniform(rng), turn = rng_between(rng, 0, 2 * PI);
    bool monocyte = kind >= 0.3 && kind < 0.5;
    w->lobes = kind < 0.3 ? 1 : monocyte ? 4 : 2 + (int)rng_below(rng, 4);
    double size = kind < 0.3 ? rng_between(rng, 0.68, 0.9)
                  : monocyte ? rng_between(rng, 0.34, 0.42)
                             : rng_between(rng, 0.75, 1) / (1.4 + 0.25 * w->lobes);
    double arc = rng_between(rng, 0.35, 0.55) * radius, step = monocyte ? 0.75 : 4.6 / w->lobes;
    w->melt = (float)(radius * (monocyte ? 0.35 : rng_between(rng, 0.08, 0.22)));
    for (int i = 0; i < w->lobes; i++) {
        double angle = turn + step * i * rng_between(rng, 0.9, 1.1);
        double far = w->lobes == 1 ? rng_between(rng, 0, 0.12) * radius : arc;
        w->lobe[i] = (struct lobe){(float)(cos(angle) * far), (float)(sin(angle) * far),
                                   (float)(radius * size * rng_between(rng, 0.9, 1.1))};
    }
}

static void make_white(const struct smear *s, double x, double y, struct cell *cell,
                       struct white *w, struct rng *rng)
{
    double r = s->radius * rng_between(rng, 1.25, 2.1);
    cell_start(cell, rng, x, y, rng_between(rng, 0, 2 * PI), r, r * rng_between(rng, 0.8, 1));
    cell_outline(rng, 0.03, 7, cell->outline);
    choose_lobes(w, r * 0.9, rng);
    w->plasm = (float)(s->plasm * rng_between(rng, 0.6, 1.4));
    w->nucleus = (float)(s->nucleus * rng_between(rng, 0.75, 1.25));
}

static void make_red(const struct smear *s, double x, double y, struct cell *cell, struct white *w,
                     struct rng *rng)
{
    double r = s->radius * exp(rng_normal(rng) * 0.08);
    double oval = rng_uniform(rng) < 0.85 ? rng_between(rng, 0.86, 1) : rng_between(rng, 0.5, 0.86);
    cell_start(cell, rng, x, y, rng_between(rng, 0, 2 * PI), r, r * oval);
    cell_outline(rng, 0.02, 4, cell->outline);
    w->lobes = 0;
    cell->rise = s->red * rng_between(rng, 0.8, 1.2);
    cell->dent = s->dent * rng_between(rng, 0.6, 1.2);
}

/* How far inside of the nucleus, pixels. */
static float nucleus_at(const struct white *w, float dx, float dy)
{
    float inside = FAR;
    for (int i = 0; i < w->lobes; i++) {
        const struct lobe *l = &w->lobe[i];
        float ex = dx - l->x, ey = dy - l->y, d = l->radius - sqrtf(ex * ex + ey * ey);
        float larger = d > inside ? d : inside, gap = w->melt - fabsf(d - inside);
        inside = gap > 0 ? larger + gap * gap / (4 * w->melt) : larger;
    }
    return inside;
}

static float smear_thickness(const struct scene *scene, const void *style, const struct cell *cell,
                             int64_t x, int64_t y, float inside)
{
    const struct white *w = style;
    const struct smear *s = w->smear;
    float dx = (float)((double)x - cell->x), dy = (float)((double)y - cell->y);
    float rim = inside / ((float)s->edge + inside), texture = texture_at(scene, cell, x, y);
    if (w->lobes == 0) {
        float middle = 1 - (dx * dx + dy * dy) / (float)(cell->a * cell->b);
        middle = middle < 0 ? 0 : middle;
        return rim *
               ((float)cell->rise * (1 - (float)cell->dent * middle * middle) + 0.02f * texture);
    }
    float t = rim * (w->plasm + (float)s->plasm_grain * texture), far = nucleus_at(w, dx, dy);
    if (far > 0 && inside > 1) {
        float deep = far / ((float)s->nucleus_edge + far);
        t += deep * (w->nucleus + (float)s->nucleus_grain * texture);
    }
    return t;
}

static void light_smear(double contrast, struct rng *rng, struct optics *o)
{
    *o = (struct optics){.sharp = rng_between(rng, 0.6, 1.6),
                         .ground = rng_between(rng, 0.65, 0.95),
                         .absorb = rng_between(rng, 0.3, 0.5) * contrast,
                         .wide = 2,
                         .fringe = rng_between(rng, 0, 0.12) * contrast};
}

int smear_lay(struct scene *scene, const struct population *population, double contrast,
              struct rng *rng, struct optics *optics, struct err *err)
{
    struct smear smear = choose_smear(population->radius, rng);
    light_smear(contrast, rng, optics);
    double width = (double)scene->width, height = (double)scene->height, covered = 0;
    double wanted = population->coverage * width * height;
    int tries = 30 + (int)(12 * wanted / (3 * smear.radius * smear.radius)), result = 0;
    struct white white = {.smear = &smear};
    struct cell *cell = malloc(sizeof *cell);
    if (!cell)
        return err_memory(err, "a cell");
    for (int i = 0; i < tries && covered < wanted; i++) {
        double x = rng_between(rng, -0.03, 1.03) * width,
               y = rng_between(rng, -0.03, 1.03) * height;
        bool is_white = i == 0 || rng_uniform(rng) < smear.white;
        (is_white ? make_white : make_red)(&smear, x, y, cell, &white, rng);
        struct box box;
        size_t area;
        result = scene_try(scene, cell, is_white ? 0.03 : population->overlap, &box, &area, err);
        if (result)
            break;
        if (area)
            scene_lay(scene, cell, box, smear_thickness, &white);
        covered += (double)area;
    }
    free(cell);
    return result;
}
