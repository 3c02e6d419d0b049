/* Cellpose's size model, fitted to the styles of the samples at random sizes. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "objects/flow_targets.h"
#include "pixels/planes.h"
#include "predict/cellpose_eval.h"
#include "predict/size_model.h"
#include "train/internal.h"

#define VIEWS 4   /* of each sample; published: 10 */
#define SIDE  224 /* of a view; published: 512 */

struct views {
    float *styles;     /* count x width */
    double *diameters; /* of the cells in each view */
    size_t count, width;
};

/* A window of the sample at half to one and a half of its size, turned at random. */
static int show(const struct session *s, const struct stored *sample, int view, float *planes,
                double *scale, struct err *err)
{
    char name[1100];
    struct augment_draw draw;
    struct array image;
    struct augment_policy policy = {.turns = 0.5, .rotate = 1, .angle = 180, .zoom = 1};
    snprintf(name, sizeof name, "size/%d/%s", view, sample->key);
    struct rng rng = rng_new((uint64_t)s->options.seed, name);
    policy.scale = *scale = rng_between(&rng, 0.5, 1.5);
    augment_draw(&draw, &policy, &rng, sample->image.shape[0], sample->image.shape[1], SIDE, SIDE);
    if (augment_image(&draw, &sample->image, &image, err))
        return -1;
    int result =
        planes_of(&image, sample->offset, sample->gain, s->loading.channels, 1, planes, err);
    array_free(&image);
    return result;
}

static int take_style(struct model *model, const struct session *s, const float *planes,
                      struct views *views, struct err *err)
{
    const int64_t shape[] = {1, s->loading.channels, SIDE, SIDE};
    if (nn_scope_begin())
        return nn_to_err(err, "a style");
    nn_tensor *x =
        nn_to_device(nn_from_host(planes, DTYPE_F32, 4, shape), s->options.trainer.device);
    nn_tensor *style = x ? cellpose_style(model, x, err) : NULL;
    int result = style ? 0 : x ? -1 : nn_to_err(err, "a style");
    if (result == 0 && !views->styles) {
        views->width = (size_t)nn_count(style);
        views->styles = calloc(store_labeled(s->data) * VIEWS * views->width, sizeof(float));
        result = views->styles ? 0 : err_memory(err, "styles");
    }
    if (result == 0 && nn_to_host(style, views->styles + views->count * views->width, DTYPE_F32,
                                  views->width * sizeof(float)))
        result = nn_to_err(err, "a style");
    nn_scope_end();
    return result;
}

/* VIEWS of a sample; none of one without cells. */
static int view_sample(struct model *model, const struct session *s, const struct stored *sample,
                       float *planes, struct views *views, struct err *err)
{
    double diameter, scale;
    if (mask_diameter(&sample->mask, &diameter, err))
        return -1;
    for (int view = 0; view < VIEWS && diameter > 0; view++) {
        if (show(s, sample, view, planes, &scale, err) || take_style(model, s, planes, views, err))
            return -1;
        views->diameters[views->count++] = diameter * scale;
    }
    return 0;
}

static int view_all(struct model *model, const struct session *s, struct views *views,
                    struct err *err)
{
    size_t count = store_labeled(s->data);
    struct stored sample = {0};
    float *planes = malloc((size_t)s->loading.channels * SIDE * SIDE * sizeof *planes);
    views->diameters = calloc(count * VIEWS, sizeof *views->diameters);
    int result = planes && views->diameters ? 0 : err_memory(err, "styles");
    for (size_t i = 0; i < count && result == 0; i++) {
        result = store_read(s->data, i, &sample, err) ||
                         view_sample(model, s, &sample, planes, views, err)
                     ? -1
                     : 0;
        s->options.progress("styles", i + 1, count);
    }
    stored_free(&sample);
    free(planes);
    return result;
}

static int fit(struct model *model, const struct session *s, struct size_model *size,
               struct err *err)
{
    struct views views = {0};
    double mean, labels;
    int result = cellpose_diameters(model, &mean, &labels, err) ||
                         model_prepare(model, s->options.trainer.device, DTYPE_F32, err) ||
                         view_all(model, s, &views, err) ||
                         size_model_fit(size, views.styles, views.diameters, views.count,
                                        views.width, mean, err)
                     ? -1
                     : 0;
    free(views.styles);
    free(views.diameters);
    return result;
}

int session_fit_size(const struct session *s, const char *path, struct err *err)
{
    struct weights w;
    struct model *model = NULL;
    struct size_model size = {0};
    if (!session_is_first(s))
        return 0;
    if (weights_read(&w, path, err))
        return -1;
    int result = model_open(&model, &w, NULL, err) || fit(model, s, &size, err) ||
                         size_model_add(&size, &w, CELLPOSE_SIZE_PREFIX, err) ||
                         weights_write(&w, path, err)
                     ? -1
                     : 0;
    size_model_free(&size);
    model_free(model);
    weights_free(&w);
    return result ? err_prefix(err, "size model of '%s'", path) : 0;
}
