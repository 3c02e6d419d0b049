/* lib/objects: from pixels to objects and back to numbers: components, watershed, flows,
 * morphology, distances, regions and what is measured of them. Comparing two segmentations is for
 * scores, outlines as coordinates for annot. Many files: an algorithm each. */

/* From masks, probabilities or flows to numbered objects: what label(1) does. */
#ifndef OBJECTS_CELLS_H
#define OBJECTS_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "objects/flows.h"
#include "objects/regions.h"
#include "objects/rims.h"

enum cell_method {
    CELLS_COMPONENTS, /* connected pixels of one class */
    CELLS_WATERSHED,  /* these, split where they are thin */
    CELLS_FLOWS,      /* flows, followed */
    CELLS_RIMS,       /* insides, grown over their rims (objects/rims.h) */
    CELLS_KEEP,       /* labels as they are */
};
#define CELL_METHOD_WORDS "components|watershed|flows|rims|keep"

struct cell_options {
    enum cell_method method;
    int connectivity; /* of components: 4 or 8 */
    double depth;     /* of the watershed, objects/watershed.h */
    struct flow_options flow;
    int smooth; /* radius of the majority filter before, 0: none */
    bool fill;  /* holes of objects, of any size or up to max_hole pixels */
    uint64_t max_hole;
    int64_t min_size;    /* of objects, pixels; -1: the method's */
    double min_relative; /* likewise, of the median object's pixels; -1: the method's, or 0 beside
                            a min_size */
    bool clear_border;
    int rims;    /* not 0: classes instead of objects, with rims so wide (objects/rims.h) */
    bool steady; /* flows are smoothed first, in place (objects/flows.h) */
};

/* Rules for flows of length 1 that a network learned beside classes, whose foreground
 * probability is `cell`: the flows are smoothed first.  threshold: least probability, 0 for the
 * sigmoid of the options' cell_threshold; error_given: flow_threshold stays what it is. */
void cells_beside_classes(struct cell_options *options, enum flow_target target, double threshold,
                          bool error_given);

/* labels: height x width, in: classes, 0 background (for CELLS_KEEP: labels; for
 * CELLS_FLOWS: anything), out: objects.  map: for CELLS_WATERSHED, what the valleys
 * are looked for in, NULL for distances.  flow, cell: for CELLS_FLOWS, which fills holes always.
 * But for CELLS_KEEP objects are numbered 1, 2, ... in the order of their first pixels; *count is
 * how many there are. */
int cells_find(uint32_t *labels, size_t height, size_t width, const struct cell_options *options,
               const float *map, float *flow, const float *cell, uint32_t *count,
               struct err *err) MUST_CHECK;

/* A copy of the classes when there are several besides the background, else none:
 * cells_find overwrites them.  The caller frees it. */
int cells_keep_classes(struct spill *classes, const uint32_t *labels, size_t count,
                       struct err *err) MUST_CHECK;

/* The class of the object in that box of `labels`: of its first pixel, 1 where no
 * classes were kept. */
uint32_t cells_class(const struct spill *classes, const uint32_t *labels, size_t width,
                     const struct box *box);

#endif
