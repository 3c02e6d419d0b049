/* A filter of tensor streams for the shell tests:
 *     stream NAME K [half]   adds NAME.npy (prob, logits, uncertainty) of K planes made
 *                            of the first channel v of an 8-bit image: v / 255 is the last
 *                            plane, 1 - v / 255 the first, others are 0; K 0 is H x W
 *     stream flows           adds logits.npy as Cellpose would give it for the mask's cells
 *     stream flows 1         adds flows.npy and prob.npy of the mask's cells
 *     stream flows 2         the same of distance
 *     stream flows 3         the same, but says that they are others
 *     stream drop N          leaves out every N-th sample
 *     stream reverse         turns the order round
 *     stream noplace         removes the json
 *     stream noimage         removes the image
 *     stream noflows         removes the flows
 *     stream noid            removes the sources' ids, as older programs wrote none
 *     stream claim N         says that sources are N pixels high and wide
 *     stream place N         says that tiles lie at (0, 0), N pixels high and wide */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/convert.h"
#include "core/half.h"
#include "core/num.h"
#include "objects/flows.h"
#include "stream/stream.h"

#define MAX_SAMPLES 10000

static void stop(const struct err *err)
{
    fprintf(stderr, "stream: %s\n", err->message);
    exit(1);
}

static void fill(const struct array *image, struct array *to, size_t planes)
{
    const uint8_t *pixels = image->data;
    size_t channels = image->shape[2], count = image->shape[0] * image->shape[1];
    float *values = to->data;
    for (size_t i = 0; i < count; i++) {
        values[planes > 1 ? (planes - 1) * count + i : i] = (float)pixels[i * channels] / 255;
        if (planes > 1)
            values[i] = 1 - (float)pixels[i * channels] / 255;
    }
}

static void add_planes(struct sample *sample, const char *name, size_t planes, bool half)
{
    struct err err;
    struct array floats, halves;
    const struct array *image = sample_require(sample, "image", &err);
    if (!image)
        stop(&err);
    size_t shape[3] = {planes, image->shape[0], image->shape[1]};
    const size_t *dimensions = planes ? shape : shape + 1;
    int count = planes ? 3 : 2;
    if (array_new(&floats, DTYPE_F32, count, dimensions, &err) ||
        array_new(&halves, DTYPE_F16, count, dimensions, &err))
        stop(&err);
    fill(image, &floats, planes);
    half_from_floats(halves.data, floats.data, array_count(&floats));
    if (sample_put_array(sample, name, half ? &halves : &floats, &err))
        stop(&err);
    array_free(half ? &floats : &halves);
}

static void put(struct sample *sample, const char *name, struct array *array)
{
    struct err err;
    if (sample_put_array(sample, name, array, &err))
        stop(&err);
}

/* Logits in two: flows of length 1, and the probabilities of two classes. */
static void split_logits(struct sample *sample, struct array *logits)
{
    struct err err;
    struct array flows, prob;
    size_t h = logits->shape[1], w = logits->shape[2], count = h * w;
    const float *from = logits->data;
    if (array_new(&flows, DTYPE_F32, 3, (size_t[]){2, h, w}, &err) ||
        array_new(&prob, DTYPE_F32, 3, (size_t[]){2, h, w}, &err))
        stop(&err);
    float *f = flows.data, *p = prob.data;
    for (size_t i = 0; i < 2 * count; i++)
        f[i] = from[i] / 5;
    for (size_t i = 0; i < count; i++) {
        p[count + i] = from[2 * count + i] > 0 ? 0.9f : 0.1f;
        p[i] = 1 - p[count + i];
    }
    put(sample, "flows", &flows);
    put(sample, "prob", &prob);
    array_free(logits);
}

/* What predict notes of flows. */
static void note_target(struct sample *sample, const char *name)
{
    struct tile_meta meta;
    struct err err;
    if (sample_get_meta(sample, &meta, &err))
        stop(&err);
    strcpy(meta.flows, name);
    if (sample_put_meta(sample, &meta, &err))
        stop(&err);
}

static void add_flows(struct sample *sample, int64_t how)
{
    struct err err;
    struct array logits;
    const struct array *mask = sample_require(sample, "mask", &err);
    size_t count = mask ? array_count(mask) : 0;
    uint32_t *labels = mask ? malloc(count * sizeof *labels + 1) : NULL;
    if (!labels || convert_labels(mask, labels, &err) ||
        array_new(&logits, DTYPE_F32, 3, (size_t[]){3, mask->shape[0], mask->shape[1]}, &err))
        stop(&err);
    float *values = logits.data;
    if (flows_of_labels(labels, mask->shape[0], mask->shape[1],
                        how > 1 ? FLOW_DISTANCE : FLOW_DIFFUSION, values, &err))
        stop(&err);
    for (size_t i = 0; i < 2 * count; i++)
        values[i] *= 5;
    for (size_t i = 0; i < count; i++)
        values[2 * count + i] = labels[i] ? 5 : -5;
    free(labels);
    if (how)
        split_logits(sample, &logits);
    else
        put(sample, "logits", &logits);
    if (how > 1)
        note_target(sample, how > 2 ? "other" : "distance");
}

static void drop_json(struct sample *sample)
{
    for (size_t i = 0; i < sample->count; i++)
        if (strcmp(sample->members[i].name, "json") == 0) {
            free(sample->members[i].name);
            free(sample->members[i].bytes);
            memmove(&sample->members[i], &sample->members[i + 1],
                    (sample->count - i - 1) * sizeof *sample->members);
            sample->count--;
            return;
        }
}

static void change_meta(struct sample *sample, const char *what, int64_t n)
{
    struct tile_meta meta;
    struct err err;
    if (sample_get_meta(sample, &meta, &err))
        stop(&err);
    if (strcmp(what, "noid") == 0)
        meta.id[0] = 0;
    else if (strcmp(what, "claim") == 0)
        meta.source_width = meta.source_height = n;
    else {
        meta.x = meta.y = 0;
        meta.width = meta.height = n;
    }
    if (sample_put_meta(sample, &meta, &err))
        stop(&err);
}

static bool is_meta(const char *what)
{
    return strcmp(what, "noid") == 0 || strcmp(what, "claim") == 0 || strcmp(what, "place") == 0;
}

int main(int argc, char **argv)
{
    static struct sample samples[MAX_SAMPLES];
    struct stream_reader *reader;
    struct stream_writer *writer;
    struct err err;
    int64_t n = 0;
    int more;
    size_t count = 0;
    if (argc < 2 || (argc > 2 && num_int(argv[2], 0, 1000000000, &n, &err)))
        return 64;
    if (stream_open(&reader, "-", &err))
        stop(&err);
    while (count < MAX_SAMPLES && (more = stream_next(reader, &samples[count], &err)) == 1)
        count++;
    if (count == MAX_SAMPLES || more < 0)
        stop(&err);
    struct stream_author author = {.program = "test", .arguments = "test"};
    if (stream_create(&writer, "-", &author, reader, &err))
        stop(&err);
    for (size_t i = 0; i < count; i++) {
        struct sample *sample = &samples[strcmp(argv[1], "reverse") ? i : count - 1 - i];
        if (strcmp(argv[1], "noplace") == 0)
            drop_json(sample);
        else if (strcmp(argv[1], "noimage") == 0)
            sample_drop_array(sample, "image");
        else if (strcmp(argv[1], "noflows") == 0)
            sample_drop_array(sample, "flows");
        else if (is_meta(argv[1]))
            change_meta(sample, argv[1], n);
        else if (strcmp(argv[1], "flows") == 0)
            add_flows(sample, n);
        else if (strcmp(argv[1], "drop") != 0 && strcmp(argv[1], "reverse") != 0)
            add_planes(sample, argv[1], (size_t)n, argc > 3);
        else if (n && (int64_t)i % n == n - 1)
            continue;
        if (stream_put(writer, sample, &err))
            stop(&err);
    }
    if (stream_pass_failures(writer, reader, &err) < 0 || stream_commit(writer, &err))
        stop(&err);
    for (size_t i = 0; i < count; i++)
        sample_free(&samples[i]);
    stream_close(reader);
    return 0;
}
