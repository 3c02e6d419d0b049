/* What virtual outliers look like: the last batch of an epoch, and of the run, as a stream of its
 * images, their masks, and the probabilities after outliers took their places. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/stream.h"
#include "train/internal.h"

static size_t labelled(const struct session *s)
{
    return s->loading.batch - loader_unlabelled(s->data, s->loading.batch);
}

/* Whether the batch is the last of its step, and the step that of its epoch or of the run. */
static bool is_last(const struct session *s)
{
    double done = s->batch + 1, parts = (double)s->options.accumulate;
    uint64_t steps = (uint64_t)trainer_steps(s->trainer) + 1;
    return done >= (double)s->steps_in_epoch * parts ||
           (fmod(done, parts) == 0 && !(s->options.minutes > 0) && steps >= s->total_steps);
}

float *session_outliers(struct session *s)
{
    size_t pixels = s->loading.height * s->loading.width;
    if (!s->options.outliers || !session_is_first(s) || !s->with_outliers || !is_last(s))
        return NULL;
    if (!s->outliers)
        s->outliers = calloc(labelled(s) * (size_t)s->loading.classes * pixels, sizeof(float));
    return s->outliers;
}

static int put(struct sample *sample, const char *name, enum dtype dtype, size_t a, size_t b,
               size_t c, const void *values, struct err *err)
{
    struct array array;
    size_t shape[] = {a, b, c};
    if (array_new(&array, dtype, c ? 3 : 2, shape, err))
        return -1;
    memcpy(array.data, values, array_bytes(&array));
    return sample_put_array(sample, name, &array, err);
}

/* H x W x C of a batch's C x H x W. */
static int put_image(struct sample *sample, const struct session *s, const float *planes,
                     struct err *err)
{
    struct array array;
    size_t pixels = s->loading.height * s->loading.width, channels = (size_t)s->loading.channels;
    size_t shape[] = {s->loading.height, s->loading.width, channels};
    if (array_new(&array, DTYPE_F32, 3, shape, err))
        return -1;
    for (size_t i = 0; i < pixels * channels; i++)
        ((float *)array.data)[i] = planes[i % channels * pixels + i / channels];
    return sample_put_array(sample, "image", &array, err);
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
    size_t count = labelled(s), columns = columns_of(count);
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
    if (put_place(sample, s, i, err) ||
        put_image(sample, s, batch->images + i * channels * h * w, err) ||
        put(sample, "mask", DTYPE_U8, h, w, 0, batch->labels + i * h * w, err) ||
        put(sample, "prob", DTYPE_F32, k, h, w, s->outliers + i * k * h * w, err))
        return -1;
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
    for (size_t i = 0; i < labelled(s); i++)
        if (put_sample(writer, s, batch, i, err)) {
            stream_abort(writer);
            return -1;
        }
    return stream_commit(writer, err);
}
