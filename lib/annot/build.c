#include "annot/build.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/limits.h"

#define MAX_MASK ((int64_t)1 << 28) /* pixels of a mask */

struct build build_new(void)
{
    return (struct build){
        .points = {.size = sizeof(double)},
        .rings = {.size = sizeof(struct annot_ring)},
        .pieces = {.size = sizeof(struct annot_piece)},
        .runs = {.size = sizeof(uint32_t)},
    };
}

void build_free(struct build *build)
{
    growing_free(&build->points);
    growing_free(&build->rings);
    growing_free(&build->pieces);
    growing_free(&build->runs);
}

void build_reset(struct build *build)
{
    build->points.count = build->rings.count = build->pieces.count = build->runs.count = 0;
    build->class_name[0] = 0;
    build->label = 0;
    build->plane = (struct annot_plane){0};
    build->run_x = build->run_y = build->run_width = build->run_height = 0;
    build->no_area = build->has_geometry = false;
}

int build_piece(struct build *build, struct err *err)
{
    struct annot_piece piece = {0};
    return growing_add(&build->pieces, &piece, err);
}

int build_ring(struct build *build, struct err *err)
{
    struct annot_ring ring = {0};
    struct annot_piece *pieces = build->pieces.items;
    pieces[build->pieces.count - 1].count++;
    return growing_add(&build->rings, &ring, err);
}

int build_point(struct build *build, double x, double y, struct err *err)
{
    struct annot_ring *rings = build->rings.items;
    if (!isfinite(x) || !isfinite(y))
        return err_set(err, STATUS_DATA, "a point that is no number");
    if (fabs(x) > BUILD_FARTHEST || fabs(y) > BUILD_FARTHEST)
        return err_set(err, STATUS_DATA, "a point is too far away");
    rings[build->rings.count - 1].n++;
    if (growing_add(&build->points, &x, err))
        return -1;
    return growing_add(&build->points, &y, err);
}

void build_scale(struct build *build, double x, double y)
{
    double *points = build->points.items;
    for (size_t i = 0; i + 1 < build->points.count; i += 2) {
        points[i] *= x;
        points[i + 1] *= y;
    }
}

void build_drop_ring(struct build *build)
{
    const struct annot_ring *rings = build->rings.items;
    struct annot_piece *pieces = build->pieces.items;
    build->points.count -= 2 * rings[--build->rings.count].n;
    pieces[build->pieces.count - 1].count--;
}

int build_rectangle(struct build *build, double x, double y, double width, double height,
                    struct err *err)
{
    if (build_ring(build, err) || build_point(build, x, y, err) ||
        build_point(build, x + width, y, err) || build_point(build, x + width, y + height, err))
        return -1;
    return build_point(build, x, y + height, err);
}

/* Into how many chords to cut a turn of that radius: the sagitta of a chord of angle a is
 * r (1 - cos(a / 2)), about r a^2 / 8. */
static double chords(double x_radius, double y_radius)
{
    double radius = fmax(fmax(fabs(x_radius), fabs(y_radius)), 1);
    return fmax(fmin(ceil(2 * M_PI * sqrt(radius / 8 / 0.01)), 100000), 32);
}

int build_turned_ellipse(struct build *build, double x, double y, double x_radius, double y_radius,
                         double angle, struct err *err)
{
    double n = chords(x_radius, y_radius), c = cos(angle), s = sin(angle);
    if (build_ring(build, err))
        return -1;
    for (double i = 0; i < n; i++) {
        double along = x_radius * cos(2 * M_PI * i / n), across = y_radius * sin(2 * M_PI * i / n);
        if (build_point(build, x + along * c - across * s, y + along * s + across * c, err))
            return -1;
    }
    return 0;
}

int build_ellipse(struct build *build, double x, double y, double width, double height,
                  struct err *err)
{
    return build_turned_ellipse(build, x + width / 2, y + height / 2, width / 2, height / 2, 0,
                                err);
}

/* A part of an ellipse, from angle to angle, added to the ring that is being built. */
static int build_arc(struct build *build, double x, double y, double x_radius, double y_radius,
                     double from, double to, struct err *err)
{
    double n = ceil(chords(x_radius, y_radius) * fabs(to - from) / (2 * M_PI));
    for (double i = 0; i <= n; i++) {
        double angle = from + (to - from) * i / n;
        if (build_point(build, x + x_radius * cos(angle), y + y_radius * sin(angle), err))
            return -1;
    }
    return 0;
}

int build_rounded(struct build *build, double x, double y, double width, double height, double arc,
                  struct err *err)
{
    double rx = fmin(arc, width) / 2, ry = fmin(arc, height) / 2;
    double left = x + rx, right = x + width - rx, top = y + ry, bottom = y + height - ry;
    if (build_ring(build, err) || build_arc(build, right, top, rx, ry, -M_PI / 2, 0, err) ||
        build_arc(build, right, bottom, rx, ry, 0, M_PI / 2, err) ||
        build_arc(build, left, bottom, rx, ry, M_PI / 2, M_PI, err))
        return -1;
    return build_arc(build, left, top, rx, ry, M_PI, 3 * M_PI / 2, err);
}

int build_check_mask(int64_t width, int64_t height, struct err *err)
{
    if (limits_check_pixels(width, height, err))
        return -1;
    if (width <= MAX_MASK / height)
        return 0;
    return err_set(err, STATUS_DATA, "a mask of %" PRId64 " x %" PRId64 " pixels", width, height);
}

int build_mask(struct build *build, const uint8_t *mask, int64_t x, int64_t y, int64_t width,
               int64_t height, struct err *err)
{
    uint32_t run = 0;
    bool inside = false;
    build->run_x = x;
    build->run_y = y;
    build->run_width = width;
    build->run_height = height;
    for (int64_t i = 0; i < width; i++)
        for (int64_t j = 0; j < height; j++, run++)
            if ((mask[j * width + i] != 0) != inside) {
                if (build_run(build, run, err))
                    return -1;
                inside = !inside;
                run = 0;
            }
    return build_run(build, run, err);
}

int build_no_area(struct build *build, const char *what, struct err *err)
{
    build->no_area = true;
    return err_set(err, STATUS_DATA, "%s has no area", what);
}

int build_run(struct build *build, uint32_t length, struct err *err)
{
    return growing_add(&build->runs, &length, err);
}

const struct annot_object *build_object(struct build *build, struct annot_object *object)
{
    double *points = build->points.items;
    struct annot_ring *rings = build->rings.items;
    struct annot_piece *pieces = build->pieces.items;
    for (size_t i = 0; i < build->rings.count; i++) {
        rings[i].points = points;
        points += 2 * rings[i].n;
    }
    for (size_t i = 0; i < build->pieces.count; i++) {
        pieces[i].rings = rings;
        rings += pieces[i].count;
    }
    *object = (struct annot_object){
        .label = build->label,
        .class_name = build->class_name,
        .pieces = pieces,
        .count = build->pieces.count,
        .runs = build->runs.items,
        .run_count = build->runs.count,
        .plane = build->plane,
        .run_x = build->run_x,
        .run_y = build->run_y,
        .run_width = build->run_width,
        .run_height = build->run_height,
    };
    return object;
}
