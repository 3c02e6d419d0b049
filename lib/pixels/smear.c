/* A stained smear of blood: red cells, smooth or crenated, some with parasites; in about half of
 * the smears white cells with lobed dark nuclei among them; stain that lies on the ground. */
#include <stdlib.h>

#include "pixels/kinds.h"

enum { LOBES = 6 };

struct smear {
    double radius, white;           /* of red cells; chance of a white one */
    double red, spread, dent, edge; /* spread: of the stain from cell to cell */
    double crenated, lumps, parasites, swollen;
    int clouds;
    double plasm, plasm_grain, nucleus, nucleus_grain, nucleus_edge;
};

/* The lobes of a nucleus, and the bridges between them, as distances about the cell's center. */
struct lobe {
    float x, y, radius;
};

struct white {
    const struct smear *smear;
    int lobes; /* of a white cell's nucleus; parasites of a red one */
    struct lobe lobe[LOBES];
    float melt;           /* how far lobes melt together, pixels */
    float plasm, nucleus; /* thickness; plasm 0: a red cell */
};

static double choose_white(struct rng *rng)
{
    double kind = rng_uniform(rng);
    return kind < 0.45 ? 0 : kind < 0.6 ? rng_between(rng, 0.4, 1) : rng_between(rng, 0.03, 0.3);
}

static struct smear choose_smear(double radius, struct rng *rng)
{
    return (struct smear){
        .radius = radius,
        .white = choose_white(rng),
        .red = rng_between(rng, 0.25, 1.5),
        .spread = rng_between(rng, 0.05, 0.45),
        .dent = rng_between(rng, 0, 1),
        .crenated = rng_uniform(rng) < 0.55 ? rng_between(rng, 0.1, 0.9) : 0,
        .lumps = rng_between(rng, 0.05, 0.4),
        .parasites = rng_uniform(rng) < 0.6 ? rng_between(rng, 0.03, 0.25) : 0,
        .swollen = rng_between(rng, 0, 0.1),
        .clouds = rng_uniform(rng) < 0.4 ? 1 + (int)rng_below(rng, 4) : 0,
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

/* Spikes all around. */
static void crenate(float *outline, struct rng *rng)
{
    double spikes = 8 + (double)rng_below(rng, 10), turn = rng_between(rng, 0, 2 * PI);
    cell_crenate(outline, spikes, rng_between(rng, 0.04, 0.14), turn - PI / 2);
}

/* Small dark grains anywhere in a red cell. */
static void infect(struct white *w, double radius, struct rng *rng)
{
    w->lobes = 1 + (int)rng_below(rng, LOBES);
    w->melt = 1;
    for (int i = 0; i < w->lobes; i++) {
        double angle = rng_between(rng, 0, 2 * PI), far = radius * rng_between(rng, 0, 0.65);
        w->lobe[i] = (struct lobe){(float)(cos(angle) * far), (float)(sin(angle) * far),
                                   (float)(radius * rng_between(rng, 0.08, 0.3))};
    }
}

static void make_red(const struct smear *s, double x, double y, struct cell *cell, struct white *w,
                     struct rng *rng)
{
    bool swollen = rng_uniform(rng) < s->swollen;
    double r = s->radius * exp(rng_normal(rng) * 0.1) * (swollen ? 1.35 : 1);
    double oval = rng_uniform(rng) < 0.85 ? rng_between(rng, 0.86, 1) : rng_between(rng, 0.4, 0.86);
    cell_start(cell, rng, x, y, rng_between(rng, 0, 2 * PI), r, r * oval);
    cell_outline(rng, 0.03, 5, cell->outline);
    w->lobes = 0;
    w->nucleus = (float)(s->nucleus * rng_between(rng, 0.5, 1));
    cell->rise = s->red * exp(rng_normal(rng) * s->spread) * (swollen ? 0.5 : 1);
    cell->dent = s->dent * rng_between(rng, 0.3, 1.1);
    cell->grain = 0.02;
    cell->nucleus_x = r * rng_between(rng, -0.2, 0.2);
    cell->nucleus_y = r * rng_between(rng, -0.2, 0.2);
    if (rng_uniform(rng) < s->crenated) {
        crenate(cell->outline, rng);
        cell->grain = s->lumps;
    }
    if (rng_uniform(rng) < s->parasites * (swollen ? 4 : 1))
        infect(w, r * oval, rng);
    w->plasm = 0;
}

/* How far inside of the nucleus or a parasite, pixels. */
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

/* The dent of a red cell is about its nucleus_x and _y, here in pixels. */
static float red_at(const struct cell *cell, float dx, float dy, float texture)
{
    float ex = dx - (float)cell->nucleus_x, ey = dy - (float)cell->nucleus_y;
    float middle = 1 - (ex * ex + ey * ey) / (float)(cell->a * cell->b);
    middle = middle < 0 ? 0 : middle;
    float t = (float)cell->rise * (1 - (float)cell->dent * middle * middle) *
              (1 + (float)cell->grain * texture);
    return t < 0 ? 0 : t;
}

static float smear_thickness(const struct scene *scene, const void *style, const struct cell *cell,
                             int64_t x, int64_t y, float inside)
{
    const struct white *w = style;
    const struct smear *s = w->smear;
    float dx = (float)((double)x - cell->x), dy = (float)((double)y - cell->y);
    float rim = inside / ((float)s->edge + inside), texture = texture_at(scene, cell, x, y);
    float t = w->plasm > 0 ? rim * (w->plasm + (float)s->plasm_grain * texture)
                           : rim * red_at(cell, dx, dy, texture);
    float far = w->lobes ? nucleus_at(w, dx, dy) : 0;
    if (far > 0 && inside > 1) {
        float deep = far / ((float)s->nucleus_edge + far);
        t += deep * (w->nucleus + (float)s->nucleus_grain * texture);
    }
    return t;
}

/* Stain that dried on the ground: no cell. */
static void lay_cloud(struct scene *scene, double radius, struct rng *rng)
{
    double x = rng_uniform(rng) * (double)scene->width,
           y = rng_uniform(rng) * (double)scene->height;
    double size = radius * exp(rng_between(rng, -0.5, 1.5)), dense = rng_between(rng, 0.05, 0.6);
    double grain = rng_between(rng, 0, 0.8);
    size_t shift = rng_below(rng, TABLE);
    for (size_t i = 0; i < scene->width * scene->height; i++) {
        size_t row = i / scene->width, column = i % scene->width;
        double dy = ((double)row - y) / size, dx = ((double)column - x) / size;
        double texture =
            (double)scene->texture[(row + shift) % TABLE * TABLE + (column + shift) % TABLE];
        double stain = dense * exp(-(dy * dy + dx * dx)) * (1 + grain * texture);
        scene->thickness[i] += (float)fmax(stain, 0);
    }
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
    for (int i = 0; i < smear.clouds; i++)
        lay_cloud(scene, 2 * smear.radius, rng);
    struct cell *cell = malloc(sizeof *cell);
    if (!cell)
        return err_memory(err, "a cell");
    for (int i = 0; i < tries && covered < wanted; i++) {
        double x = rng_between(rng, -0.03, 1.03) * width,
               y = rng_between(rng, -0.03, 1.03) * height;
        bool is_white = smear.white > 0 && (i == 0 || rng_uniform(rng) < smear.white);
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
