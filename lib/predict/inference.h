/* lib/predict: a trained network's answer for images: batches, test-time augmentation,
 * uncertainty, sizes of cells. Nothing that only training needs, and nothing about files but the
 * stream's tiles. Many files: how a whole image is seen has its steps, from the tiles that wait to
 * the answer that is blended. */

/* Images to class probabilities: what lies between arrays and a network's tensors. */
#ifndef PREDICT_INFERENCE_H
#define PREDICT_INFERENCE_H

#include "core/array.h"
#include "model/model.h"
#include "predict/size_model.h"
#include "predict/uncertainty.h"

/* The diameter of the cells that a network of flows sees, 3 x height x width logits;
 * 0 when it sees none. */
typedef int (*inference_measure)(const float *logits, size_t height, size_t width, double *diameter,
                                 struct err *err);

struct inference_options {
    bool tta;    /* mean over the four quarter turns and their mirror images */
    bool prob;   /* class probabilities; of a network of flows: background and cell */
    bool flows;  /* of a network that has flows beside its classes */
    bool ridges; /* which lead to ridges; for KEY.json */
    bool logits; /* what the network gives; with tta the logarithm of the mean probabilities */
    /* What to measure.  With tta, entropy is that of the mean probabilities, mahalanobis and
     * energy are means over the views; UNCERTAINTY_TTA needs tta and is the entropy of the
     * mean probabilities less the mean of the views' entropies: the mutual information of
     * class and view, as a share of its maximum. */
    enum uncertainty uncertainty;
    const struct gaussians *gaussians; /* for UNCERTAINTY_MAHALANOBIS */
    /* Diameter of the cells in pixels, for Cellpose; 0: as `size` estimates it, or that
     * of its training images. */
    double diameter;
    const struct size_model *size; /* borrowed, may be NULL */
    inference_measure measure;     /* refines the estimate; may be NULL */
};

/* See planes_of and, for the numbers, sample_scale.  The image is borrowed. */
struct inference_input {
    const struct array *image;
    double offset, gain;
};

/* What was asked for, new: the caller frees each. */
struct inference_result {
    struct array prob;        /* K x H x W, float16 */
    struct array logits;      /* K x H x W, float32 */
    struct array flows;       /* 2 x H x W, float16, of length 1 (objects/flows.h) */
    struct array uncertainty; /* H x W, float16 */
    double diameter;          /* of the cells, as the image was scaled for; 0: it was not */
};

/* Its arrays, without data where it was not asked for. */
#define INFERENCE_MAPS 4
struct array *inference_map(struct inference_result *result, int map);

void inference_free(struct inference_result *result);

/* Runs n images of the same shape as one batch, each as planes_of shows it.  Sides that are no
 * multiple of what the network needs are extended by repeating the border, and the
 * result cut.  On failure there are no results. */
int inference_run(struct model *model, int device, const struct inference_options *options,
                  const struct inference_input *inputs, size_t n, struct inference_result *results,
                  struct err *err) MUST_CHECK;

#endif
