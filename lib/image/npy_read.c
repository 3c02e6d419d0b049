/* Arrays of NumPy: .npy, .npz, and Cellpose's _seg.npy, of which its masks are read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/filemap.h"
#include "image/codec.h"
#include "image/fold.h"
#include "image/samples.h"
#include "weights/numpy.h"

#define MAX_RATIO (1032 * 8) /* deflate's limit; bits that are delivered as bytes */

enum { FRAME, SLICE, ROW, COLUMN, CHANNEL, AXES };

struct npy_state {
    struct filemap file;
    struct numpy_array array;
    struct sample_format format;
    size_t element;                  /* bytes */
    size_t size[AXES], stride[AXES]; /* stride: in elements */
    struct planes_pick frame, slice;
    int channels[PLANES_MAX_CHANNELS];
    uint8_t *raw; /* a row of elements */
    void *row;    /* of another plane */
    double *sums;
};

/* ---- axes ---- */

static void take_axis(struct npy_state *s, int axis, size_t size, size_t stride)
{
    s->size[axis] = size;
    s->stride[axis] = stride;
}

/* The dimensions that are longer than 1, at least two, and what lies between their elements. */
static int squeeze(const struct npy_header *layout, size_t sizes[], size_t strides[])
{
    size_t all[ARRAY_MAX_DIMS], step = 1;
    int n = 0, spare = layout->ndim;
    for (int i = 0; i < layout->ndim; i++) {
        int axis = layout->fortran ? i : layout->ndim - 1 - i;
        all[axis] = step;
        step *= layout->shape[axis];
        spare -= layout->shape[axis] != 1;
    }
    for (int i = 0, left = layout->ndim; i < layout->ndim; i++, left--) {
        bool drops = layout->shape[i] == 1 && spare > 0 && n + left > 2;
        spare -= drops;
        if (drops)
            continue;
        sizes[n] = layout->shape[i];
        strides[n++] = all[i];
    }
    return n;
}

/* Few elements are channels where the others are many: first as PyTorch has them, last as NumPy
 * has colors, four bytes with alpha.  Of labels only colors are. */
static int channel_dimension(const struct image_reader *reader, const size_t *sizes, int n)
{
    bool labels = reader->use == IMAGE_FOR_LABELS;
    size_t last = sizes[n - 1], before = sizes[n - 3];
    if (last <= 4 && last > (labels ? 2 : 1) && before > 4)
        return n - 1;
    if (before <= 4 && last > 4 && sizes[n - 2] > 4 && !labels)
        return n - 3;
    return -1;
}

static int find_axes(struct image_reader *reader, struct npy_state *s, struct err *err)
{
    size_t sizes[ARRAY_MAX_DIMS], strides[ARRAY_MAX_DIMS];
    int n = squeeze(&s->array.layout, sizes, strides), axis = COLUMN;
    if (n < 2)
        return image_bad(reader, err, "an array of %d dimensions is no image", n);
    for (int i = 0; i < AXES; i++)
        take_axis(s, i, 1, 0);
    int channel = n > 2 ? channel_dimension(reader, sizes, n) : -1;
    for (int i = n - 1; i >= 0; i--) {
        if (i == channel)
            take_axis(s, CHANNEL, sizes[i], strides[i]);
        else if (axis < 0)
            return image_bad(reader, err, "an array of %d dimensions is not supported", n);
        else
            take_axis(s, axis--, sizes[i], strides[i]);
    }
    return 0;
}

/* ---- choices ---- */

static int pick(const struct image_reader *reader, const char *text, const char *option,
                const char *word, size_t count, struct planes_pick *pick, struct err *err)
{
    struct planes_axis axis = {option, word, NULL, (int64_t)count};
    bool labels = reader->use == IMAGE_FOR_LABELS;
    *pick = (struct planes_pick){PLANES_ONE, 0};
    if (labels && count == 1)
        return 0;
    if (!text && count > 1)
        return image_bad(reader, err,
                         "%zu %ss at once are not supported: choose one by %s 1 to %zu, or project "
                         "them by %s max",
                         count, word, option, count, option);
    if (planes_pick(text, &axis, pick, err))
        return err_prefix(err, "read '%s'", reader->source.name);
    if (labels && pick->projection != PLANES_ONE)
        pick->projection = PLANES_MAX;
    return 0;
}

static int choose(struct image_reader *reader, struct npy_state *s, struct err *err)
{
    const struct image_planes *p = &reader->planes;
    struct planes_axis axis = {"--channel", "channel", NULL, (int64_t)s->size[CHANNEL]};
    struct planes_pick series;
    bool labels = reader->use == IMAGE_FOR_LABELS;
    if (p->level > 0 && !labels)
        return image_bad(reader, err, "there is no level %" PRId64 ", there is 0", p->level);
    if (pick(reader, p->z, "--z", "slice", s->size[SLICE], &s->slice, err) ||
        pick(reader, p->t, "--t", "frame", s->size[FRAME], &s->frame, err) ||
        pick(reader, p->series, "--series", "image", 1, &series, err))
        return -1;
    int count =
        planes_channels(labels && axis.count == 1 ? NULL : p->channel, &axis, s->channels, err);
    if (count < 0)
        return err_prefix(err, "read '%s'", reader->source.name);
    reader->info.channels = count;
    reader->info.has_alpha =
        !p->channel && count == 4 && s->stride[CHANNEL] == 1 && s->array.layout.dtype == DTYPE_U8;
    reader->chose_channels = true;
    return 0;
}

/* ---- elements ---- */

static enum sample_kind kind_of(enum dtype dtype)
{
    switch (dtype) {
    case DTYPE_F16:
    case DTYPE_F32:
    case DTYPE_F64:
        return SAMPLE_FLOAT;
    case DTYPE_I8:
    case DTYPE_I16:
    case DTYPE_I32:
    case DTYPE_I64:
        return SAMPLE_SIGNED;
    default:
        return SAMPLE_UNSIGNED;
    }
}

static void describe(struct image_reader *reader, struct npy_state *s)
{
    struct sample_format *f = &s->format;
    struct image_info *info = &reader->info;
    s->element = dtype_size(s->array.layout.dtype);
    f->bits = (int)(8 * s->element);
    f->kind = kind_of(s->array.layout.dtype);
    f->as_float =
        reader->use == IMAGE_FOR_COLORS && f->kind != SAMPLE_FLOAT &&
        (f->kind == SAMPLE_SIGNED || f->bits == 64 || (f->bits > 16 && info->channels > 1));
    info->width = (int64_t)s->size[COLUMN];
    info->height = (int64_t)s->size[ROW];
    info->bits = info->significant_bits = samples_delivered_bits(f);
    info->is_label = info->bits == 32 && f->kind != SAMPLE_FLOAT && !f->as_float;
}

static size_t depth_of(const struct npy_state *s)
{
    return (s->slice.projection ? s->size[SLICE] : 1) * (s->frame.projection ? s->size[FRAME] : 1);
}

static int allocate(const struct image_reader *reader, struct npy_state *s, struct err *err)
{
    size_t samples = (size_t)reader->info.width * (size_t)reader->info.channels;
    s->raw = malloc(samples * s->element);
    s->row = malloc(image_row_bytes(&reader->info));
    s->sums = malloc(samples * sizeof *s->sums);
    return s->raw && s->row && s->sums ? 0 : err_memory(err, "a row of an array");
}

static int find_array(struct image_reader *reader, struct npy_state *s, struct err *err)
{
    static const char *const masks[] = {"masks", "mask", "labels", "label", "arr_0", NULL};
    static const char *const images[] = {"image", "img", "arr_0", NULL};
    if (filemap_read(&s->file, reader->source.fd, err) ||
        numpy_open(&s->array, s->file.data, s->file.size,
                   reader->use == IMAGE_FOR_LABELS ? masks : images, err))
        return err_prefix(err, "read '%s'", reader->source.name);
    return 0;
}

static int open_npy(struct image_reader *reader, struct err *err)
{
    struct npy_state *s = reader->state = calloc(1, sizeof *s);
    if (!s)
        return err_memory(err, "an array's reader");
    if (find_array(reader, s, err) || find_axes(reader, s, err) || choose(reader, s, err))
        return -1;
    describe(reader, s);
    return image_check_size(reader, MAX_RATIO, err) ? -1 : allocate(reader, s, err);
}

/* ---- rows ---- */

/* The elements of a row of a plane, from `at` on. */
static void gather(const struct npy_state *s, size_t at, size_t channels)
{
    const uint8_t *from = s->array.data;
    bool direct = channels == s->size[CHANNEL] && s->stride[COLUMN] == channels &&
                  (channels == 1 || s->stride[CHANNEL] == 1) && s->channels[0] == 0;
    for (size_t c = 1; c < channels; c++)
        direct &= s->channels[c] == (int)c;
    if (direct) {
        memcpy(s->raw, from + at * s->element, s->size[COLUMN] * channels * s->element);
        return;
    }
    uint8_t *to = s->raw;
    for (size_t x = 0; x < s->size[COLUMN]; x++)
        for (size_t c = 0; c < channels; c++, to += s->element) {
            size_t i = at + x * s->stride[COLUMN] + (size_t)s->channels[c] * s->stride[CHANNEL];
            memcpy(to, from + i * s->element, s->element);
        }
}

static int read_plane(struct image_reader *reader, struct npy_state *s, size_t at, void *to,
                      struct err *err)
{
    size_t channels = (size_t)reader->info.channels, n = s->size[COLUMN] * channels;
    bool bits = s->array.layout.dtype == DTYPE_BOOL;
    gather(s, at, channels);
    if (s->array.layout.swapped)
        samples_swap(s->raw, n, s->element);
    for (size_t i = 0; bits && i < n; i++)
        s->raw[i] = !s->raw[i] ? 0 : reader->use == IMAGE_FOR_LABELS ? 1 : 255;
    if (!samples_unpack(&s->format, s->raw, n, to, &reader->voids))
        return image_bad(reader, err, "a label below -1 or over 32 bits");
    return 0;
}

/* Of one row, all planes that are projected. */
static int read_row(struct image_reader *reader, struct npy_state *s, size_t y, void *to,
                    struct err *err)
{
    size_t depth = depth_of(s), slices = s->slice.projection ? s->size[SLICE] : 1;
    enum planes_projection projection =
        s->slice.projection ? s->slice.projection : s->frame.projection;
    struct fold fold = fold_new(projection, depth, &reader->info, s->sums);
    for (size_t d = 0; d < depth; d++) {
        size_t z = (size_t)s->slice.index + d % slices, t = (size_t)s->frame.index + d / slices;
        size_t at = t * s->stride[FRAME] + z * s->stride[SLICE] + y * s->stride[ROW];
        void *target = fold_target(&fold, to, s->row);
        if (read_plane(reader, s, at, target, err))
            return -1;
        fold_add(&fold, target, to);
    }
    return 0;
}

static int read_npy(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    size_t row_bytes = image_row_bytes(&reader->info);
    for (int64_t i = 0; i < rows; i++)
        if (read_row(reader, reader->state, (size_t)(reader->decoded_row + i),
                     (uint8_t *)to + (size_t)i * row_bytes, err))
            return -1;
    return 0;
}

static void close_npy(struct image_reader *reader)
{
    struct npy_state *s = reader->state;
    if (!s)
        return;
    numpy_close(&s->array);
    filemap_close(&s->file);
    free(s->raw);
    free(s->row);
    free(s->sums);
    free(s);
    reader->state = NULL;
}

static void rewind_npy(struct image_reader *reader)
{
    (void)reader; /* rows are found by their number */
}

const struct image_decoder image_npy_decoder = {"npy", open_npy, read_npy, close_npy, rewind_npy};
