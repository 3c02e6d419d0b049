/* What virtual outliers look like: the last batch of an epoch, and of the run, as a stream of its
 * images, their masks, and the probabilities after outliers took their places. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/stream.h"
#include "tiles/maps.h"
#include "train/internal.h"

static size_t labeled(const struct session *s)
{
    return s->loading.batch - loader_unlabeled(s->data, s->loading.batch);
}

/* Whether the batch is the last of its step, and the step that of its epoch or of the run. */
static bool is_last(const struct session *s)
{
    double done = s->batch + 1, parts = (double)s->options.accumulate;
    uint64_t steps = (uint64_t)trainer_steps(s->trainer) + 1;
    return done >= (double)s->steps_in_epoch * parts ||
           (fmod(done, parts) == 0 && !(s->options.minutes > 0) && steps >= s->total_steps);
}

int session_outliers(struct session *s, float **outliers, struct err *err)
{
    size_t pixels = s->loading.height * s->loading.width;
    *outliers = NULL;
    if (!s->options.outliers || !session_is_first(s) || !s->with_outliers || !is_last(s))
        return 0;
    if (!s->outliers)
        s->outliers = calloc(labeled(s) * (size_t)s->loading.classes * pixels, sizeof(float));
    *outliers = s->outliers;
    return s->outliers ? 0 : err_memory(err, "the outliers of a batch");
}

/* Adds an array to be filled: its elements, borrowed. */
static void *add_array(struct sample *sample, const char *name, enum dtype dtype, int ndim,
                       const size_t *shape, struct err *err)
{
    struct array array;
    if (array_new(&array, dtype, ndim, shape, err) || sample_put_array(sample, name, &array, err))
        return NULL;
    return sample_array(sample, name)->data;
}

/* The most even rows and columns that have a place for every image and none to spare. */
static size_t columns_of(size_t count)
{
    size_t rows = 1;
    for (size_t i = 1; i * i <= count; i++)
        if (count % i == 0)
            rows = i;
    return count / rows;
}

static int put_place(struct sample *sample, const struct session *s, size_t i, struct err *err)
{
    size_t count = labeled(s), columns = columns_of(count);
    int64_t h = (int64_t)s->loading.height, w = (int64_t)s->loading.width;
    struct tile_meta meta = {
        .source_width = w * (int64_t)columns,
        .source_height = h * (int64_t)(count / columns),
        .source_channels = s->loading.channels,
        .source_bits = 32,
        .x = w * (int64_t)(i % columns),
        .y = h * (int64_t)(i / columns),
        .width = w,
        .height = h,
        .scale_x = 1,
        .scale_y = 1,
        .index = (int64_t)i,
        .count = (int64_t)count,
    };
    snprintf(meta.source, sizeof meta.source, "epoch%03.0f", s->epoch + 1);
    return sample_put_meta(sample, &meta, err);
}

static int fill(struct sample *sample, const struct session *s, const struct loader_batch *batch,
                size_t i, struct err *err)
{
    size_t h = s->loading.height, w = s->loading.width, k = (size_t)s->loading.classes;
    size_t channels = (size_t)s->loading.channels;
    float *image, *prob;
    uint8_t *mask;
    if (put_place(sample, s, i, err) ||
        !(image = add_array(sample, "image", DTYPE_F32, 3, (size_t[]){h, w, channels}, err)) ||
        !(mask = add_array(sample, "mask", DTYPE_U8, 2, (size_t[]){h, w}, err)) ||
        !(prob = add_array(sample, "prob", DTYPE_F32, 3, (size_t[]){k, h, w}, err)))
        return -1;
    maps_interleave(batch->images + i * channels * h * w, image, channels, h * w);
    memcpy(mask, batch->labels + i * h * w, h * w);
    memcpy(prob, s->outliers + i * k * h * w, k * h * w * sizeof *prob);
    return 0;
}

static int put_sample(struct stream_writer *writer, const struct session *s,
                      const struct loader_batch *batch, size_t i, struct err *err)
{
    struct sample sample;
    char key[80];
    snprintf(key, sizeof key, "epoch%03.0f/%03zu", s->epoch + 1, i);
    if (sample_init(&sample, key, err))
        return -1;
    int result = fill(&sample, s, batch, i, err) || stream_put(writer, &sample, err) ? -1 : 0;
    sample_free(&sample);
    return result;
}

int session_write_outliers(struct session *s, const struct loader_batch *batch, struct err *err)
{
    const struct stream_author author = {"train", s->command, s->seed, NULL};
    struct stream_writer *writer;
    if (stream_create(&writer, s->options.outliers, &author, NULL, err))
        return -1;
    for (size_t i = 0; i < labeled(s); i++)
        if (put_sample(writer, s, batch, i, err)) {
            stream_abort(writer);
            return -1;
        }
    return stream_commit(writer, err);
}
