#include <math.h>
#include <stdbool.h>

#include "objects/flows.h"
#include "pixels/gaussian.h"

/* ---- how large cells are ---- */

struct flow { /* what flows_diameter looks at */
    const float *flow, *cell;
    size_t count; /* of pixels */
    double threshold;
};

struct arrow { /* of length 1, or 0 */
    double y, x;
};

static struct arrow direction(const struct flow *f, size_t i)
{
    double y = (double)f->flow[i], x = (double)f->flow[f->count + i], length = sqrt(y * y + x * x);
    return length > 0 && isfinite(length) ? (struct arrow){y / length, x / length}
                                          : (struct arrow){0, 0};
}

static bool in_cell(const struct flow *f, size_t i)
{
    return (double)f->cell[i] > f->threshold;
}

#define PARTING 0.5 /* directions of neighbors that part by more belong to two cells */

struct slope { /* of directions, along one axis */
    double sum;
    size_t count;
};

static void add_change(struct slope *slope, double change)
{
    if (change >= PARTING)
        return;
    slope->sum += change;
    slope->count++;
}

double flows_diameter(const float *flow, const float *cell, size_t height, size_t width,
                      double threshold)
{
    struct flow f = {flow, cell, height * width, threshold};
    struct slope down = {0}, along = {0};
    for (size_t i = 0; i < f.count; i++) {
        if (!in_cell(&f, i))
            continue;
        struct arrow here = direction(&f, i);
        if (i + width < f.count && in_cell(&f, i + width))
            add_change(&down, direction(&f, i + width).y - here.y);
        if ((i + 1) % width && in_cell(&f, i + 1))
            add_change(&along, direction(&f, i + 1).x - here.x);
    }
    if (!down.count || !along.count)
        return 0;
    double divergence = down.sum / (double)down.count + along.sum / (double)along.count;
    return divergence < 0 ? -4 / divergence : INFINITY;
}

/* ---- steadier flows ---- */

double flows_sigma(double diameter)
{
    return fmin(fmax(diameter / FLOW_STEADY_SHARE, FLOW_STEADY_FINE), FLOW_STEADY_SIGMA);
}

int flows_steady(float *flow, size_t height, size_t width, double sigma, double scale,
                 struct err *err)
{
    size_t count = height * width;
    for (size_t i = 0; i < 2 * count; i++)
        flow[i] = isfinite(flow[i]) ? flow[i] : 0;
    for (size_t i = 0; i < 2; i++)
        if (gaussian_blur(flow + i * count, height, width, 1, sigma, err))
            return -1;
    for (size_t i = 0; i < count; i++) {
        float length = hypotf(flow[i], flow[count + i]);
        float factor = length > 1e-3f * (float)scale ? (float)scale / length : 0;
        flow[i] *= factor;
        flow[count + i] *= factor;
    }
    return 0;
}
