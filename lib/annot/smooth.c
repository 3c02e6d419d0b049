/* The closed curve that ImageJ fits through the vertices of an outline. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annot/build.h"

/* A periodic cubic spline through n values, h[i] from value i to the next one. */
struct spline {
    size_t n;
    const double *h, *value; /* value[i * 2] */
    double *curvature;       /* second derivatives */
};

/* Solves the tridiagonal system of rows h[i-1] x[i-1] + 2 (h[i-1] + h[i]) x[i] + h[i] x[i+1] =
 * right[i] without the two corners, with `first` and `last` added to the diagonal's ends. */
static void solve(const double *h, size_t n, double first, double last, const double *right,
                  double *scratch, double *x)
{
    for (size_t i = 0; i < n; i++) {
        double before = h[(i + n - 1) % n];
        double pivot = 2 * (before + h[i]) + (i == 0 ? first : 0) + (i == n - 1 ? last : 0);
        double under = i ? before : 0;
        pivot -= i ? under * scratch[i - 1] : 0;
        scratch[i] = h[i] / pivot;
        x[i] = (right[i] - (i ? under * x[i - 1] : 0)) / pivot;
    }
    for (size_t i = n - 1; i-- > 0;)
        x[i] -= scratch[i] * x[i + 1];
}

/* The corners of the cyclic system are a correction of rank one (Sherman and Morrison,
 * 1950).  room: 4 n values. */
static void fit(const struct spline *s, double *room)
{
    size_t n = s->n;
    double *right = room, *scratch = room + n, *u = room + 2 * n, *z = room + 3 * n;
    const double *h = s->h;
    double corner = h[n - 1], gamma = -2 * (h[n - 1] + h[0]);
    for (size_t i = 0; i < n; i++) {
        double after = s->value[2 * ((i + 1) % n)] - s->value[2 * i];
        double before = s->value[2 * i] - s->value[2 * ((i + n - 1) % n)];
        right[i] = 6 * (after / h[i] - before / h[(i + n - 1) % n]);
        u[i] = i == 0 ? gamma : i == n - 1 ? corner : 0;
    }
    double last = -corner * corner / gamma;
    solve(h, n, -gamma, last, right, scratch, s->curvature);
    solve(h, n, -gamma, last, u, scratch, z);
    double factor = (s->curvature[0] + corner * s->curvature[n - 1] / gamma) /
                    (1 + z[0] + corner * z[n - 1] / gamma);
    for (size_t i = 0; i < n; i++)
        s->curvature[i] -= factor * z[i];
}

/* At a share t of the way from value i to the next one. */
static double at(const struct spline *s, size_t i, double t)
{
    size_t j = (i + 1) % s->n;
    double r = 1 - t, h2 = s->h[i] * s->h[i] / 6;
    return r * s->value[2 * i] + t * s->value[2 * j] + (r * r * r - r) * h2 * s->curvature[i] +
           (t * t * t - t) * h2 * s->curvature[j];
}

static int add_curve(struct build *build, const struct spline *x, const struct spline *y,
                     struct err *err)
{
    for (size_t i = 0; i < x->n; i++) {
        double length = x->h[i] * x->h[i]; /* of the chord */
        double steps = fmax(fmin(ceil(2 * length), 1000), 4);
        for (double k = 0; k < steps; k++)
            if (build_point(build, at(x, i, k / steps), at(y, i, k / steps), err))
                return -1;
    }
    return 0;
}

int build_smooth(struct build *build, struct err *err)
{
    struct annot_ring *ring = (struct annot_ring *)build->rings.items + build->rings.count - 1;
    size_t n = ring->n, first = build->points.count - 2 * n;
    if (n < 3)
        return 0;
    double *room = malloc(n * 9 * sizeof *room);
    if (!room)
        return err_memory(err, "an outline");
    double *points = room, *h = room + 2 * n;
    memcpy(points, (double *)build->points.items + first, 2 * n * sizeof *points);
    for (size_t i = 0; i < n; i++) {
        const double *a = points + 2 * i, *b = points + 2 * ((i + 1) % n);
        h[i] = sqrt(fmax(hypot(b[0] - a[0], b[1] - a[1]), 1e-3));
    }
    struct spline x = {n, h, points, room + 3 * n}, y = {n, h, points + 1, room + 4 * n};
    fit(&x, room + 5 * n);
    fit(&y, room + 5 * n);
    build->points.count = first;
    ring->n = 0;
    int result = add_curve(build, &x, &y, err);
    free(room);
    return result;
}
