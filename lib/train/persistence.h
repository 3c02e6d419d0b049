/* Persistent homology of a likelihood image and the loss that it gives: the
 * noise-aware topological consistency of TopoSemiSeg (Xu, Hu, Gupta, Abousamra,
 * Chen, "Semi-supervised Segmentation of Histopathology Images with Noise-Aware
 * Topological Consistency", ECCV 2024, arXiv 2311.16447).
 *
 * The filtration is by superlevel sets {f >= t}, t falling: a component is born at
 * a local maximum and dies where it meets one that was born higher (the elder
 * rule), so birth >= death.  Equal values are taken in the order of the pixels. */
#ifndef TRAIN_PERSISTENCE_H
#define TRAIN_PERSISTENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define PERSISTENCE_NO_PIXEL UINT32_MAX

struct feature {
    float birth, death;                /* values of f, birth > death */
    uint32_t birth_pixel, death_pixel; /* y * width + x, where f has those values */
};

/* Most persistent (birth - death) first, then by birth pixel. */
struct diagram {
    struct feature *features;
    size_t count;
};

enum connectivity { CONNECT_4, CONNECT_8 };

/* Dimension 0: the components of the superlevel sets of a height x width image.
 * The component that never dies gets death 0 and PERSISTENCE_NO_PIXEL, when its
 * birth is above 0.  Features of no persistence are left out.  The caller frees
 * the diagram; STATUS_DATA for a NaN. */
int persistence_components(struct diagram *diagram, const float *image, size_t height, size_t width,
                           enum connectivity connectivity, struct err *err) MUST_CHECK;

/* Dimension 1, by duality: a hole of the superlevel sets is a component of the
 * sublevel sets in the other connectivity, the outside taken as one that was
 * always there.  `connectivity` is that of the superlevel sets.  birth: where the
 * ring closes, death: where the hole is filled. */
int persistence_holes(struct diagram *diagram, const float *image, size_t height, size_t width,
                      enum connectivity connectivity, struct err *err) MUST_CHECK;

void diagram_free(struct diagram *diagram);

/* How many features have a persistence above the threshold: the signal, which are
 * the first; the rest is noise. */
size_t diagram_signal(const struct diagram *diagram, float threshold);

/* ---- optimal matching ---- */

/* What moving (b, d) to (b', d') costs: the norm of the difference to the power of
 * `order`; moving it to the diagonal, the least such cost of a point (x, x). */
enum wasserstein {
    WASSERSTEIN_1_MAX, /* order 1, maximum norm: GUDHI's default, and the released code's */
    WASSERSTEIN_2_L2,  /* order 2, Euclidean norm: (b-b')^2 + (d-d')^2, diagonal (b-d)^2 / 2 */
};

/* The cheapest way to pair some features of `a` with some of `b` and to move all
 * others to the diagonal.  partner: for each feature of `a` its partner in `b`, or
 * UINT32_MAX for the diagonal.  *distance, unless NULL, is the Wasserstein
 * distance: the cost, for order 2 its square root. */
int wasserstein_match(const struct feature *a, size_t a_count, const struct feature *b,
                      size_t b_count, enum wasserstein kind, uint32_t *partner, double *distance,
                      struct err *err) MUST_CHECK;

/* ---- the loss ---- */

struct topology_options {
    size_t patch;    /* sides of the patches in pixels, each with its own diagram; 100 */
    float threshold; /* persistence above it is signal; 0.7 */
    enum connectivity connectivity;
    enum wasserstein matching;
    bool holes; /* dimension 1 too */
};

/* The settings of the released code. */
#define TOPOLOGY_DEFAULTS                                                                          \
    ((struct topology_options){.patch = 100, .threshold = 0.7f, .matching = WASSERSTEIN_1_MAX})

/* Consistency of a student's likelihood f with a teacher's g, both height x width.
 * With S the student's signal that the matching pairs with teacher's signal m(p)
 * and R all other features of the student (noise, and signal without a partner):
 *
 *     loss = sum over p in S of (b(p) - b(m(p)))^2 + (d(p) - d(m(p)))^2
 *          + sum over p in R of (b(p) - d(p))^2
 *
 * Birth and death are values of f at critical pixels, so that the derivative with
 * respect to f is 2 (b(p) - b(m(p))) at p's birth pixel, and so on; the matching
 * and g are constants.  A death without a pixel is constant.  (The released code
 * counts features of R twice, with the same gradient, and pulls f at the pixels of
 * S to values of 1 - g; here both sides are likelihoods, as in the paper.)
 * *loss is set; gradient (height x width, or NULL) is overwritten. */
int topology_loss(const float *student, const float *teacher, size_t height, size_t width,
                  const struct topology_options *options, double *loss, float *gradient,
                  struct err *err) MUST_CHECK;

#endif
