/* A whole image as it is predicted: classes, probabilities and what belongs to them. */
#ifndef TILES_PICTURE_H
#define TILES_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "core/array.h"
#include "core/spill.h"
#include "objects/flows.h"

enum picture_part {
    PICTURE_PREDICTION,  /* labels: the most probable class, or for one or two classes the
                            foreground where its probability reaches the threshold */
    PICTURE_TRUTH,       /* labels, of the tiles' masks */
    PICTURE_FOREGROUND,  /* probability of the last class, for one or two classes; with flows
                            of all but the first, for more */
    PICTURE_UNCERTAINTY, /* the tiles' uncertainty, else 2 min(p, 1 - p) and its like for
                      more classes */
    PICTURE_VALUES,      /* the averages themselves, planes x height x width; not with flows */
    PICTURE_FLOWS,       /* the tiles' flows, 2 x height x width */
    PICTURE_IMAGE,       /* the tiles' images, height x width x channels of their type */
    PICTURE_PARTS,
};

/* What is not wanted or not known is NULL or 0. */
struct picture {
    const char *name; /* borrowed */
    size_t height, width;
    double full_height, full_width;   /* of a larger image that this one was scaled from, or 0 */
    double pixel_height, pixel_width; /* micrometers */
    double shown;                     /* pixels of its first tile, as the network saw it, for one */
    bool judged;                      /* the network chose at what size to see it */
    uint32_t *prediction, *truth;     /* height x width */
    float *foreground, *uncertainty;  /* height x width */
    float *values;                    /* planes x height x width */
    float *flows;                     /* 2 x height x width, of length 1 (objects/flows.h) */
    enum flow_target flow_target;     /* what they are */
    struct array image;               /* a view; without dimensions when there is none */
    struct spill room[PICTURE_PARTS]; /* where they are */
};

/* Zeroed room for another part, but the image: planes x height x width. */
int picture_add(struct picture *picture, enum picture_part part, size_t planes,
                struct err *err) MUST_CHECK;

/* Lets the parts, but the image, point to their rooms. */
void picture_point(struct picture *picture);

void picture_free(struct picture *picture);

#endif
