/* Puts an object together from points as they are read; its memory is used again
 * for the next one. */
#ifndef ANNOT_BUILD_H
#define ANNOT_BUILD_H

#include "annot/annot.h"
#include "core/growing.h"

#define BUILD_NAME     256
#define BUILD_FARTHEST 1e9 /* pixels a coordinate may be from the corner */

struct build {
    struct growing points, rings, pieces, runs;
    char class_name[BUILD_NAME];
    uint32_t label;
    struct annot_plane plane;
    int64_t run_x, run_y, run_width, run_height;
    bool no_area;      /* build_no_area was called */
    bool has_geometry; /* of GeoJSON: a feature's */
};

struct build build_new(void);
void build_free(struct build *build);
void build_reset(struct build *build);

/* A piece holds rings, a ring points; all that follows belongs to the last one. */
int build_piece(struct build *build, struct err *err) MUST_CHECK;
int build_ring(struct build *build, struct err *err) MUST_CHECK;
int build_point(struct build *build, double x, double y, struct err *err) MUST_CHECK;

/* Multiplies all coordinates. */
void build_scale(struct build *build, double x, double y);

/* Takes the last ring away again. */
void build_drop_ring(struct build *build);

/* An ellipse in a box, as a ring of so many points that no center of a pixel is on
 * the wrong side by more than a hundredth of a pixel. */
int build_ellipse(struct build *build, double x, double y, double width, double height,
                  struct err *err) MUST_CHECK;

/* The same about a center, its axes turned by an angle in radians. */
int build_turned_ellipse(struct build *build, double x, double y, double x_radius, double y_radius,
                         double angle, struct err *err) MUST_CHECK;

/* A rectangle with elliptic corners, arc wide and arc high. */
int build_rounded(struct build *build, double x, double y, double width, double height, double arc,
                  struct err *err) MUST_CHECK;

/* STATUS_DATA for a mask that is too large: of more than --max-pixels, or than 2^28 pixels. */
int build_check_mask(int64_t width, int64_t height, struct err *err) MUST_CHECK;

/* Bits of a mask, width x height bytes, not 0 in the object, as runs of a box at (x, y). */
int build_mask(struct build *build, const uint8_t *mask, int64_t x, int64_t y, int64_t width,
               int64_t height, struct err *err) MUST_CHECK;

/* Replaces the last ring's points by the closed curve through them that ImageJ fits: cubic
 * splines of both coordinates over the sum of the square roots of the distances. */
int build_smooth(struct build *build, struct err *err) MUST_CHECK;
int build_rectangle(struct build *build, double x, double y, double width, double height,
                    struct err *err) MUST_CHECK;

int build_run(struct build *build, uint32_t length, struct err *err) MUST_CHECK;

/* STATUS_DATA for an object that is right but has no area: "what has no area". */
int build_no_area(struct build *build, const char *what, struct err *err);

/* The object; it and its memory are the builder's, until the next reset. */
const struct annot_object *build_object(struct build *build, struct annot_object *object);

#endif
