#include "train/toposeg.h"

#include <math.h>
#include <stdlib.h>

double toposeg_ramp(double progress)
{
    double left = 1 - fmin(fmax(progress, 0), 1);
    return exp(-5 * left * left);
}

/* 1 - probability of class 0: B x H x W */
static nn_tensor *likelihood_of(const nn_tensor *logits)
{
    return nn_affine(nn_select(nn_softmax(logits, 1), 1, 0), -1, 1);
}

struct maps {
    size_t batch, height, width;
    float *student, *teacher, *gradient; /* one allocation */
};

static int copy_maps(struct maps *maps, const nn_tensor *student, const nn_tensor *teacher,
                     struct err *err)
{
    *maps = (struct maps){.batch = (size_t)nn_size(student, 0),
                          .height = (size_t)nn_size(student, 1),
                          .width = (size_t)nn_size(student, 2)};
    size_t count = maps->batch * maps->height * maps->width, bytes = count * sizeof(float);
    maps->student = calloc(3 * count + 1, sizeof(float));
    if (!maps->student)
        return err_memory(err, "likelihoods");
    maps->teacher = maps->student + count;
    maps->gradient = maps->teacher + count;
    if (nn_to_host(student, maps->student, DTYPE_F32, bytes) ||
        nn_to_host(teacher, maps->teacher, DTYPE_F32, bytes)) {
        free(maps->student);
        return nn_to_err(err, "likelihoods");
    }
    return 0;
}

/* Mean over the images. */
static int measure(const struct maps *maps, const struct toposeg_options *options, double *mean,
                   struct err *err)
{
    *mean = 0;
    for (size_t i = 0; i < maps->batch; i++) {
        size_t start = i * maps->height * maps->width;
        double loss = 0;
        if (options->measure(maps->student + start, maps->teacher + start, maps->height,
                             maps->width, &loss, maps->gradient + start, options->data, err))
            return -1;
        *mean += loss / (double)maps->batch;
    }
    return 0;
}

/* A scalar of this value whose gradient by x is that of the measure. */
static nn_tensor *with_gradient(const nn_tensor *x, const struct maps *maps, double value)
{
    const int64_t shape[] = {(int64_t)maps->batch, (int64_t)maps->height, (int64_t)maps->width};
    nn_tensor *gradient = nn_from_host(maps->gradient, DTYPE_F32, 3, shape);
    gradient = nn_to_device(nn_affine(gradient, 1.0 / (double)maps->batch, 0), nn_device(x));
    nn_tensor *linear = nn_sum(nn_mul(x, gradient));
    return nn_affine(nn_sub(linear, nn_detach(linear)), 1, value);
}

static int topology_of(const nn_tensor *student, const nn_tensor *teacher,
                       const struct toposeg_options *options, nn_tensor **loss, double *value,
                       struct err *err)
{
    struct maps maps;
    nn_tensor *x = likelihood_of(student);
    if (copy_maps(&maps, x, likelihood_of(teacher), err))
        return -1;
    int failed = measure(&maps, options, value, err);
    *loss = failed ? NULL : with_gradient(x, &maps, *value);
    free(maps.student);
    return failed ? -1 : *loss ? 0 : nn_to_err(err, "topological consistency");
}

int toposeg_loss(const nn_tensor *student, const nn_tensor *teacher,
                 const struct toposeg_options *options, struct toposeg_result *result,
                 struct err *err)
{
    nn_tensor *topology = NULL;
    teacher = nn_detach(teacher);
    if (topology_of(student, teacher, options, &topology, &result->topology, err))
        return -1;
    nn_tensor *pixels = nn_cross_entropy(student, nn_argmax(teacher, 1), NULL, -100);
    result->total =
        nn_add(nn_affine(topology, options->topology, 0), nn_affine(pixels, options->pixels, 0));
    if (!result->total || nn_item(pixels, &result->pixels))
        return nn_to_err(err, "consistency with the teacher");
    return 0;
}
