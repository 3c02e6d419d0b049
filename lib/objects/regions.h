/* The shapes of the objects of a label image, one after the other.
 *
 * Where scikit-image's regionprops has a property of that name, the definition is
 * the same; tests compare them. */
#ifndef OBJECTS_REGIONS_H
#define OBJECTS_REGIONS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/intmap.h"
#include "core/spill.h"
#include "objects/quantity.h"
#include "objects/runs.h"

/* Where an object lies: rows top to bottom - 1, columns left to right - 1. */
struct box {
    uint32_t label;
    size_t top, left, bottom, right;
    uint64_t area;
    size_t runs, first_run; /* how many, and the first of them once runs_of was called */
};

struct boxes {
    struct box *items; /* in the order of the objects' first pixels */
    size_t count;
    struct intmap numbers; /* label -> 1 + the object's index */
};

/* Labels of any numbers, height x width.  The caller frees it. */
int boxes_of(struct boxes *boxes, const uint32_t *labels, size_t height, size_t width,
             struct err *err) MUST_CHECK;
void boxes_free(struct boxes *boxes);

/* Smallest area first; `numbers` does not hold after it. */
void boxes_sort_by_area(struct boxes *boxes);

/* Median of the objects' areas in pixels, the lower one of two; 0 without objects. */
int labels_median_area(const uint32_t *labels, size_t height, size_t width, uint64_t *median,
                       struct err *err) MUST_CHECK;

#define REGION_MAX_CHANNELS 4

/* Everything in pixels; coordinates are of pixel centers, the first at 0. */
struct region {
    struct box box;
    double x, y;                /* centroid */
    double perimeter;           /* Benkrid and Crookes 2000: steps along the 4-connected border */
    double equivalent_diameter; /* of the disc of that area: sqrt(4 A / pi) */
    double major_axis, minor_axis; /* of the ellipse of the same second moments */
    double eccentricity;           /* of that ellipse: 0 for a disc, below 1 */
    double orientation;            /* its major axis against the rows, radians, -pi/2 to pi/2 */
    double solidity;               /* area over the pixels of the convex hull */
    double circularity;            /* 4 pi area / perimeter^2; NaN without a perimeter */
    double feret_max, feret_min;   /* largest and smallest width of the convex hull */
    double skeleton_length;        /* of the thinned object (Guo and Hall 1989): steps of 1
                                      and sqrt(2) */
    uint32_t branch_ends;          /* pixels of the skeleton with one neighbor */
    uint32_t branch_points;        /* groups of pixels with three or more */
    /* What lies under the object, objects/under.h; region_measure says NaN. */
    double mean[REGION_MAX_CHANNELS], sd[REGION_MAX_CHANNELS]; /* of the image, sd over n */
    double mean_probability, mean_uncertainty;
};

/* Room for measuring, reused from object to object. */
struct region_room {
    struct spill mask, work; /* boxes with a margin, all 0 between objects */
    struct spill list;
    size_t box_room, list_room; /* pixels */
    void *points;
    size_t points_room;
};
void region_room_free(struct region_room *room);

/* Measures the object of `box` and these runs, whose rows and columns become those of
 * the box with its margin.  A zeroed room is an empty one. */
int region_measure(struct region *region, const struct box *box, struct run *runs,
                   struct region_room *room, struct err *err) MUST_CHECK;

/* The region as named quantities, with the mean and standard deviation of `channels`
 * channels; returns how many there are. */
#define REGION_MAX_QUANTITIES 32
int region_quantities(const struct region *region, int channels, struct quantity *to);

#endif
