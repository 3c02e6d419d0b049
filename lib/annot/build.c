#include "annot/build.h"

#include <math.h>
#include <string.h>

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
    build->run_width = build->run_height = 0;
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
    if (!(fabs(x) <= BUILD_FARTHEST && fabs(y) <= BUILD_FARTHEST))
        return err_set(err, STATUS_DATA, "a point is too far away");
    rings[build->rings.count - 1].n++;
    if (growing_add(&build->points, &x, err))
        return -1;
    return growing_add(&build->points, &y, err);
}

int build_rectangle(struct build *build, double x, double y, double width, double height,
                    struct err *err)
{
    if (build_ring(build, err) || build_point(build, x, y, err) ||
        build_point(build, x + width, y, err) || build_point(build, x + width, y + height, err))
        return -1;
    return build_point(build, x, y + height, err);
}

/* The sagitta of a chord of angle a is r (1 - cos(a / 2)), about r a^2 / 8. */
int build_ellipse(struct build *build, double x, double y, double width, double height,
                  struct err *err)
{
    double radius = fmax(fabs(width), fabs(height)) / 2;
    double wanted = fmin(ceil(2 * M_PI * sqrt(fmax(radius, 1) / 8 / 0.01)), 100000);
    size_t n = wanted > 32 ? (size_t)wanted : 32;
    if (build_ring(build, err))
        return -1;
    for (size_t i = 0; i < n; i++) {
        double angle = 2 * M_PI * (double)i / (double)n;
        if (build_point(build, x + width / 2 * (1 + cos(angle)), y + height / 2 * (1 + sin(angle)),
                        err))
            return -1;
    }
    return 0;
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
        .run_width = build->run_width,
        .run_height = build->run_height,
    };
    return object;
}
