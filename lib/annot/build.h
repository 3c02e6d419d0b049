/* Puts an object together from points as they are read; its memory is used again
 * for the next one. */
#ifndef ANNOT_BUILD_H
#define ANNOT_BUILD_H

#include "annot/annot.h"
#include "annot/growing.h"

#define BUILD_NAME     256
#define BUILD_FARTHEST 1e9 /* pixels a coordinate may be from the corner */

struct build {
    struct growing points, rings, pieces, runs;
    char class_name[BUILD_NAME];
    uint32_t label;
    int64_t run_width, run_height;
};

struct build build_new(void);
void build_free(struct build *build);
void build_reset(struct build *build);

/* A piece holds rings, a ring points; all that follows belongs to the last one. */
int build_piece(struct build *build, struct err *err) MUST_CHECK;
int build_ring(struct build *build, struct err *err) MUST_CHECK;
int build_point(struct build *build, double x, double y, struct err *err) MUST_CHECK;

/* An ellipse in a box, as a ring of so many points that no centre of a pixel is on
 * the wrong side by more than a hundredth of a pixel. */
int build_ellipse(struct build *build, double x, double y, double width, double height,
                  struct err *err) MUST_CHECK;
int build_rectangle(struct build *build, double x, double y, double width, double height,
                    struct err *err) MUST_CHECK;

int build_run(struct build *build, uint32_t length, struct err *err) MUST_CHECK;

/* The object; it and its memory are the builder's, until the next reset. */
const struct annot_object *build_object(struct build *build, struct annot_object *object);

#endif
