/* What synth draws: a scene, its cells as signed distances to their borders, and the light that
 * falls through it.  Private to lib/pixels: shared by the looks. */
#ifndef PIXELS_SCENE_H
#define PIXELS_SCENE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/rng.h"

#define PI  3.14159265358979323846
#define FAR (-1e9f)

enum {
    TABLE = 256,     /* directions of an outline; also the side of the texture tile */
    MAX_POINTS = 24, /* of a process */
    MAX_PROCESSES = 14,
};

/* ---- the picture being drawn ---- */

struct scene {
    size_t width, height;
    float *thickness; /* optical thickness */
    float *glow;      /* added to the finished light */
    uint32_t *label;
    uint32_t cells;  /* laid so far */
    float *texture;  /* TABLE x TABLE, mean 0, variance about 1, wraps around */
    float *distance; /* of the cell laid last; grows */
    size_t capacity;
    bool additive; /* overlapping cells add up, instead of the thicker one winning */
};

/* ---- a cell ---- */

struct process { /* a tapered, bent arm */
    int points;
    float x[MAX_POINTS], y[MAX_POINTS], half_width[MAX_POINTS];
};

struct cell {
    double x, y, cosine, sine; /* center and direction */
    double a, b;               /* half axes of the body */
    float outline[TABLE + 1];  /* relative radius by direction */
    int processes;
    struct process process[MAX_PROCESSES];
    double web;     /* how far arms and body melt together, pixels */
    double edge;    /* how fast the thickness rises from the border, pixels */
    double rise;    /* thickness of the flat part */
    double dome;    /* more thickness in the middle */
    double dent;    /* less thickness in the middle (red blood cells) */
    double grain;   /* texture of the cytoplasm */
    double glow;    /* brightness added to the body */
    double nucleus; /* radius relative to the body, 0: none */
    double nucleus_x, nucleus_y, nucleus_rise;
    unsigned texture_x, texture_y;
};

/* What the cells of an image have in common. */
struct style {
    double share[5]; /* chances of a spindle, a branched, a neuron-like, a flat and a round cell */
    double grain, rise; /* multiply texture and thickness */
};

struct population { /* how an image is populated */
    double radius, coverage, crowding, direction, alignment, overlap;
    struct style style;
};

struct optics {
    double sharp, wide;      /* standard deviations: of the optics, of the halo or fringe */
    double haze;             /* light of the wide average, where cells glow */
    double fringe;           /* contrast of thickness against its wide average */
    double absorb;           /* light lost per thickness; below 0: won */
    double glow;             /* not 0: cells shine themselves, so much per thickness */
    double slant_x, slant_y; /* slanted light: derivative of thickness */
    double ground;           /* brightness without cells */
    double tilt_x, tilt_y, vignette;
    double mottle;     /* slow unevenness of the ground */
    double shot, read; /* noise */
};

struct box {
    int64_t x0, y0, x1, y1; /* x1, y1 outside */
};

/* Relative radii by direction, 1 on average, of waves up to `sharpest` a turn. */
void cell_outline(struct rng *rng, double roughness, int sharpest, float *outline);
/* Spikes all around it, `height` high relative to the radius. */
void cell_crenate(float *outline, double spikes, double height, double turn);
/* Has scene->distance say how far the pixels of *box, that of the cell, lie inside of it (below 0:
 * outside).  *area is that of the cell in the image; 0 where more than `overlap` of it belongs to
 * others already. */
int scene_try(struct scene *scene, const struct cell *cell, double overlap, struct box *box,
              size_t *area, struct err *err) MUST_CHECK;

/* Numbers what scene_try found free, and adds the thickness that `paint` says: to all of the cell
 * where the scene is additive. */
typedef float scene_paint(const struct scene *scene, const void *style, const struct cell *cell,
                          int64_t x, int64_t y, float inside);
void scene_lay(struct scene *scene, const struct cell *cell, struct box box, scene_paint *paint,
               const void *style);

/* A cell without arms, of the outline of a circle. */
void cell_start(struct cell *cell, struct rng *rng, double x, double y, double direction, double a,
                double b);

/* A spot, brighter by `light`, in a ring that is darker. */
void scene_speck(struct scene *scene, double x, double y, double radius, double light, double ring);

/* A slight defocus, or in some images strongly slanted light. */
void optics_brightfield(struct optics *o, double contrast, struct rng *rng);

/* The texture where the cell's own piece of it lies at (x, y). */
static inline float texture_at(const struct scene *scene, const struct cell *cell, int64_t x,
                               int64_t y)
{
    size_t tx = ((size_t)x + cell->texture_x) % TABLE, ty = ((size_t)y + cell->texture_y) % TABLE;
    return scene->texture[ty * TABLE + tx];
}

#endif
