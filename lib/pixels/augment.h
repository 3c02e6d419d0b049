/* Random transforms of an image and its mask, drawn from a policy.
 *
 * The policy "paper" is that of TransUNet's and MorphoSeg's released training
 * code: in half of the cases a random number of quarter turns and a flip, in
 * half of the rest a rotation within +-20 degrees, else nothing.  "strong" adds
 * zoom and changes of light, polarity, sharpness and noise, for networks that
 * must serve microscopes they never saw.
 *
 * Images are sampled bilinearly, masks by nearest neighbor, at the same points.
 * What comes out depends on the policy and on the generator alone. */
#ifndef PIXELS_AUGMENT_H
#define PIXELS_AUGMENT_H

#include <stdbool.h>

#include "core/array.h"
#include "core/rng.h"

enum augment_border {
    AUGMENT_ZERO,    /* black, label 0 */
    AUGMENT_REFLECT, /* mirrored, the edge pixel repeated */
};

/* Chances are in [0, 1]; amounts are drawn evenly up to the value given here, as
 * fractions of the range of values that the image itself has. */
struct augment_policy {
    double turns;      /* chance of a quarter turn and a flip */
    double rotate;     /* chance of a rotation, where there was no turn */
    double angle;      /* largest rotation, degrees */
    double zoom;       /* magnification from 1/zoom to zoom, evenly in its logarithm; 1: none */
    double scale;      /* magnification besides, of every image; 0: none */
    double brightness; /* largest shift */
    double contrast;   /* gain from 1/(1+contrast) to 1+contrast */
    double gamma;      /* exponent from 1/(1+gamma) to 1+gamma */
    double shade;      /* largest tilt of the illumination across the image */
    double blur;       /* largest standard deviation, pixels */
    double noise;      /* largest standard deviation */
    double invert;     /* chance of a negative */
    double light;      /* chance that light (brightness to noise) changes at all */
    enum augment_border border;
};

/* "paper", "strong" or "none", then changes: "strong,zoom=2,invert=0". */
int augment_policy_parse(struct augment_policy *policy, const char *text,
                         struct err *err) MUST_CHECK;

/* One transform: output pixel (x, y) shows the input at
 * (matrix[0] x + matrix[1] y + matrix[2], matrix[3] x + matrix[4] y + matrix[5]). */
struct augment_draw {
    size_t in_height, in_width, out_height, out_width;
    double matrix[6];
    int turns; /* quarter turns, counterclockwise */
    bool flip;
    double angle, zoom;
    enum augment_border border;
    bool light; /* the rest is to be applied */
    double brightness, contrast, gamma, shade_x, shade_y, blur, noise;
    bool invert;
    struct rng noise_rng;
};

/* Draws a transform for an input of height x width.  Output of another size
 * shows a random window of the input; an out_height of 0 keeps the size (height
 * and width change places with an odd number of quarter turns). */
void augment_draw(struct augment_draw *draw, const struct augment_policy *policy, struct rng *rng,
                  size_t height, size_t width, size_t out_height, size_t out_width);

/* H x W x C (uint8, uint16 or float32) to a new array of the same type and
 * channels; C of 2 or 4 has alpha last, whose light is never changed. */
int augment_image(const struct augment_draw *draw, const struct array *image, struct array *out,
                  struct err *err) MUST_CHECK;

/* H x W integers to a new array.  With `instances`, labels are cells: the result
 * is uint32, and what a mirroring border shows gets labels of its own, so that
 * one label never means two cells. */
int augment_mask(const struct augment_draw *draw, const struct array *mask, bool instances,
                 struct array *out, struct err *err) MUST_CHECK;

#endif
