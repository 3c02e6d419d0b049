/* What a network of flows learns from a sample: the diameter of its cells, and
 * their flows where an augmentation shows them. */
#ifndef OBJECTS_FLOW_TARGETS_H
#define OBJECTS_FLOW_TARGETS_H

#include "objects/flows.h"
#include "pixels/augment.h"

/* The median over the cells of H x W labels of the diameter of the disc of a cell's
 * area, in pixels, at least 5 as in Cellpose; 0 where there is no cell. */
int cells_diameter(const uint32_t *labels, size_t height, size_t width, double *diameter,
                   struct err *err) MUST_CHECK;

/* The same of a mask of any unsigned type. */
int mask_diameter(const struct array *mask, double *diameter, struct err *err) MUST_CHECK;

/* The same of the cells that a network's answer has, 3 x height x width: flows and the
 * cell logit, followed as by flows_to_labels with default rules. */
int answer_diameter(const float *answer, size_t height, size_t width, double *diameter,
                    struct err *err) MUST_CHECK;

/* Flows (objects/flows.h), 2 x out_height x out_width, of the part of the mask that is
 * drawn.  Cells that the window cuts keep the flows they have when `margin` pixels
 * more are seen around it. */
int flow_targets(const struct augment_draw *draw, const struct array *mask, size_t margin,
                 enum flow_target target, float *flows, struct err *err) MUST_CHECK;

/* A mask of any unsigned type as labels; the caller frees them. */
uint32_t *mask_labels(const struct array *mask, struct err *err) MUST_CHECK;

#endif
