/* Flows: fields of arrows of length 1 along which the pixels of a cell come together: in its
 * middle (Cellpose: Stringer et al., Nat. Methods 18, 2021), or on its ridge, for long and branched
 * cells (the idea of Omnipose: Cutler et al., Nat. Methods 19, 2022; objects/ridges.h). */
#ifndef OBJECTS_FLOWS_H
#define OBJECTS_FLOWS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum flow_target {
    FLOW_DIFFUSION, /* to the middle */
    FLOW_DISTANCE,  /* away from the nearest border */
};
#define FLOW_TARGET_WORDS "diffusion|distance"

/* Of such a word, "" for the first.  An unknown one: STATUS_DATA. */
int flow_target_named(const char *name, enum flow_target *target, struct err *err) MUST_CHECK;

/* What a network learns.  FLOW_DIFFUSION: heat is let in at the pixel nearest to the object's
 * centroid and spreads inside the object for twice as many steps as its box has
 * rows and columns; the flow is the gradient of the heat's logarithm, of length 1.
 * FLOW_DISTANCE: the gradient of length 1 of the smoothed distance to what is not the object; 0
 * where that is flat, on the ridges of straight bars.
 * flow: 2 x height x width, vertical then horizontal, 0 outside objects. */
int flows_of_labels(const uint32_t *labels, size_t height, size_t width, enum flow_target target,
                    float *flow, struct err *err) MUST_CHECK;

/* What flows that were learned beside classes want before they are followed: by how many pixels
 * they are smoothed, and the largest error of an object's flow.  That of an object smaller than the
 * median is asked for more: splinters of cells that were cut are small.  Of a cell that the image's
 * border cuts only a part is seen, while the network may have told where the middle of the whole
 * is. */
#define FLOW_STEADY_SIGMA       2
#define FLOW_STEADY_FINE        1  /* of small cells; of FLOW_DISTANCE, for thin ones must part */
#define FLOW_STEADY_SHARE       14 /* in between: diameters of a cell */
#define FLOW_STEADY_ERROR       2
#define FLOW_STEADY_SMALL_ERROR 0.85
#define FLOW_STEADY_CUT_ERROR   1.6
#define FLOW_STEADY_SMALLEST    0.1 /* cell, of the median one's pixels */

struct flow_options {
    double cell_threshold;  /* pixels whose `cell` is above it follow the flow (0) */
    double flow_threshold;  /* objects whose flow error is above it are dropped; 0: none (0.4) */
    double small_threshold; /* the same of those smaller than the median of the objects within it;
                               0: not asked */
    double cut_threshold;   /* the same of such that touch the image's border; 0: small_threshold */
    int steps;              /* of Euler's method; 0: 200, of FLOW_DISTANCE RIDGE_STEPS */
    double max_share;       /* objects larger than that share of the image are dropped (0.4) */
    float scale;            /* of the flow: length 1 is given as so much (FLOW_NETWORK_SCALE) */
    enum flow_target target; /* what the flow is */
};
#define FLOW_NETWORK_SCALE 5.0f /* of what Cellpose's networks give */

#define FLOW_OPTIONS_DEFAULT                                                                       \
    {                                                                                              \
        0, 0.4, 0, 0, 0, 0.4, FLOW_NETWORK_SCALE, FLOW_DIFFUSION                                   \
    }

/* The diameter of the cells, in pixels, before they are found.  Arrows of length 1 into the middle
 * of a disc of diameter d have a mean divergence of -4 / d (Gauss: d * pi of them go through its
 * border, its area is d^2 * pi / 4); it is taken of the directions of neighbors that belong to a
 * cell, without those that part.  0: no cell; infinity: no middle.  flow, cell, threshold: as of
 * flows_to_labels, of FLOW_DIFFUSION. */
double flows_diameter(const float *flow, const float *cell, size_t height, size_t width,
                      double threshold);

/* By how many pixels the flow of cells of that diameter is smoothed. */
double flows_sigma(double diameter);

/* Makes a network's flow steadier, in place: smoothed by a Gaussian of `sigma` pixels, then of
 * length `scale` wherever it is not 0.  A network that is not sure of a flow gives a short
 * one, in which pixels stay where they are. */
int flows_steady(float *flow, size_t height, size_t width, double sigma, double scale,
                 struct err *err) MUST_CHECK;

/* Pixels follow the flow and are one object when they end in one place: at a peak
 * of the histogram of final positions with more than 10 pixels, or near it; of FLOW_DISTANCE in
 * places that touch (objects/ridges.h).
 * flow: 2 x height x width, options->scale times the unit flow;
 * cell: height x width logits, or probabilities with a threshold of that kind.  labels: out, 1 to
 * *count. */
int flows_to_labels(const float *flow, const float *cell, size_t height, size_t width,
                    const struct flow_options *options, uint32_t *labels, uint32_t *count,
                    struct err *err) MUST_CHECK;

#endif
