/* TopoSeg: a TransUNet that learns from labels and from its teacher, the running
 * average of its own parameters, by noise-aware topological consistency (Xu, Hu,
 * Gupta, Abousamra, Chen, "Semi-supervised Segmentation of Histopathology Images
 * with Noise-Aware Topological Consistency", ECCV 2024). */
#ifndef TRAIN_TOPOSEG_H
#define TRAIN_TOPOSEG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "nn/nn.h"

/* The consistency of two likelihoods, height x width, and its derivative by the
 * student's: topology_loss of train/persistence.h, which this room does not know. */
typedef int (*toposeg_topology)(const float *student, const float *teacher, size_t height,
                                size_t width, double *loss, float *gradient, void *data,
                                struct err *err);

struct toposeg_options {
    double topology; /* weight of the topological consistency */
    double pixels;   /* of the cross entropy with the teacher's classes */
    toposeg_topology measure;
    void *data; /* for measure */
};

struct toposeg_result {
    nn_tensor *total;        /* temporary, with gradient: the weighted sum */
    double topology, pixels; /* unweighted */
};

/* Decay of the teacher, and how much of the consistency counts when `progress` (0
 * to 1) of the ramp is over: exp(-5 (1 - progress)^2) (Tarvainen and Valpola 2017). */
#define TOPOSEG_DECAY  0.99
#define TOPOSEG_WEIGHT 0.002
#define TOPOSEG_PIXELS 0.1
double toposeg_ramp(double progress);

/* From logits B x K x H x W float32 of both for the same images, mean over images
 * and over pixels.  The likelihood is that of all classes but the first.  The
 * teacher is a constant. */
int toposeg_loss(const nn_tensor *student, const nn_tensor *teacher,
                 const struct toposeg_options *options, struct toposeg_result *result,
                 struct err *err) MUST_CHECK;

#endif
