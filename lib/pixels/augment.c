#include "pixels/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/convert.h"
#include "core/num.h"
#include "core/target.h"
#include "pixels/gaussian.h"

#define PI           3.14159265358979323846
#define MAX_CHANNELS 16

/* ---- policies ---- */

static const struct augment_policy policy_none = {.zoom = 1};

static const struct augment_policy policy_paper = {
    .turns = 0.5, .rotate = 0.5, .angle = 20, .zoom = 1, .border = AUGMENT_ZERO};

static const struct augment_policy policy_strong = {
    .turns = 0.6,
    .rotate = 0.7,
    .angle = 45,
    .zoom = 1.6,
    .brightness = 0.15,
    .contrast = 0.5,
    .gamma = 0.5,
    .shade = 0.25,
    .blur = 1.2,
    .noise = 0.04,
    .invert = 0.3,
    .light = 0.8,
    .border = AUGMENT_REFLECT,
};

static const struct {
    const char *name;
    size_t offset;
    double min, max;
} fields[] = {
#define FIELD(name, min, max)                                                                      \
    {                                                                                              \
#name, offsetof(struct augment_policy, name), min, max                                     \
    }
    FIELD(turns, 0, 1),      FIELD(rotate, 0, 1),   FIELD(angle, 0, 180), FIELD(zoom, 1, 8),
    FIELD(brightness, 0, 1), FIELD(contrast, 0, 8), FIELD(gamma, 0, 8),   FIELD(shade, 0, 1),
    FIELD(blur, 0, 20),      FIELD(noise, 0, 1),    FIELD(invert, 0, 1),  FIELD(light, 0, 1),
#undef FIELD
};

static const struct augment_policy *find_policy(const char *name, size_t length)
{
    static const struct {
        const char *name;
        const struct augment_policy *policy;
    } policies[] = {{"none", &policy_none}, {"paper", &policy_paper}, {"strong", &policy_strong}};
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (strlen(policies[i].name) == length && memcmp(policies[i].name, name, length) == 0)
            return policies[i].policy;
    return NULL;
}

static int set_field(struct augment_policy *policy, const char *text, struct err *err)
{
    if (strcmp(text, "border=zero") == 0 || strcmp(text, "border=reflect") == 0) {
        policy->border = text[7] == 'z' ? AUGMENT_ZERO : AUGMENT_REFLECT;
        return 0;
    }
    const char *equals = strchr(text, '=');
    for (size_t i = 0; equals && i < sizeof fields / sizeof *fields; i++) {
        size_t length = (size_t)(equals - text);
        if (strlen(fields[i].name) != length || memcmp(fields[i].name, text, length) != 0)
            continue;
        double value;
        if (num_real(equals + 1, fields[i].min, fields[i].max, &value, err))
            return err_prefix(err, "policy: %s", fields[i].name);
        memcpy((char *)policy + fields[i].offset, &value, sizeof value);
        return 0;
    }
    return err_set(err, STATUS_USAGE, "policy '%s': no such setting", text);
}

int augment_policy_parse(struct augment_policy *policy, const char *text, struct err *err)
{
    size_t length = strcspn(text, ",");
    const struct augment_policy *base = find_policy(text, length);
    if (!base)
        return err_set(err, STATUS_USAGE, "policy '%.*s': not none, paper or strong",
                       (int)(length < 100 ? length : 100), text);
    *policy = *base;
    while (text[length] == ',') {
        text += length + 1;
        length = strcspn(text, ",");
        char part[64];
        if (length >= sizeof part)
            return err_set(err, STATUS_USAGE, "policy: setting too long");
        memcpy(part, text, length);
        part[length] = '\0';
        if (set_field(policy, part, err))
            return -1;
    }
    return 0;
}

/* ---- drawing ---- */

/* A factor between 1/(1+amount) and 1+amount, as likely below 1 as above. */
static double draw_factor(struct rng *rng, double amount)
{
    return exp(rng_between(rng, -1, 1) * log1p(amount));
}

static void draw_light(struct augment_draw *draw, const struct augment_policy *policy,
                       struct rng *rng)
{
    draw->light = rng_uniform(rng) < policy->light;
    draw->brightness = rng_between(rng, -1, 1) * policy->brightness;
    draw->contrast = draw_factor(rng, policy->contrast);
    draw->gamma = draw_factor(rng, policy->gamma);
    draw->shade_x = rng_between(rng, -1, 1) * policy->shade;
    draw->shade_y = rng_between(rng, -1, 1) * policy->shade;
    double blur = rng_uniform(rng), noise = rng_uniform(rng);
    draw->blur = blur < 0.5 ? 0 : (2 * blur - 1) * policy->blur;
    draw->noise = noise * noise * policy->noise;
    draw->invert = rng_uniform(rng) < policy->invert;
    draw->noise_rng = *rng;
    for (int i = 0; i < 4; i++)
        draw->noise_rng.state[i] = rng_u64(rng) | 1;
}

/* Where the middle of the output lies on an axis of the input, which shows
 * `extent` pixels of it: anywhere that keeps the window inside; a window larger
 * than the input keeps the input inside.  Whole steps when `exact`. */
static double draw_center(struct rng *rng, double size, double extent, bool exact)
{
    double slack = size - extent, u = rng_uniform(rng);
    double shift = exact ? floor(u * (fabs(slack) + 1)) : u * fabs(slack);
    return (slack < 0 ? -shift : shift) + (extent - 1) / 2;
}

void augment_draw(struct augment_draw *draw, const struct augment_policy *policy, struct rng *rng,
                  size_t height, size_t width, size_t out_height, size_t out_width)
{
    memset(draw, 0, sizeof *draw);
    bool turned = rng_uniform(rng) < policy->turns;
    bool rotated = rng_uniform(rng) < policy->rotate && !turned;
    int turns = (int)rng_below(rng, 4);
    bool flip = rng_uniform(rng) < 0.5; /* which axis: with a turn, either is a flip of x */
    double angle = rng_between(rng, -1, 1) * policy->angle;
    double zoom = exp(rng_between(rng, -1, 1) * log(policy->zoom));
    if (policy->scale > 0)
        zoom *= policy->scale;
    draw->border = policy->border;
    draw->turns = turned ? (turns + (flip ? 2 : 0)) % 4 : 0;
    draw->flip = turned;
    draw->angle = rotated ? angle : 0;
    draw->zoom = zoom;
    bool odd = draw->turns % 2;
    draw->in_height = height;
    draw->in_width = width;
    draw->out_height = out_height ? out_height : odd ? width : height;
    draw->out_width = out_height ? out_width : odd ? height : width;

    static const double cosines[] = {1, 0, -1, 0}, sines[] = {0, 1, 0, -1};
    double c = cosines[draw->turns], s = sines[draw->turns];
    bool exact = draw->angle == 0 && zoom == 1;
    if (draw->angle != 0) { /* never together with turns */
        c = cos(draw->angle * PI / 180);
        s = sin(draw->angle * PI / 180);
    }
    double extent_y = (double)(odd ? draw->out_width : draw->out_height) / zoom;
    double extent_x = (double)(odd ? draw->out_height : draw->out_width) / zoom;
    double center_y = draw_center(rng, (double)height, extent_y, exact);
    double center_x = draw_center(rng, (double)width, extent_x, exact);
    double mirror = draw->flip ? -1 : 1;
    double *m = draw->matrix;
    m[0] = c * mirror / zoom;
    m[1] = -s / zoom;
    m[3] = s * mirror / zoom;
    m[4] = c / zoom;
    double middle_x = ((double)draw->out_width - 1) / 2,
           middle_y = ((double)draw->out_height - 1) / 2;
    m[2] = center_x - m[0] * middle_x - m[1] * middle_y;
    m[5] = center_y - m[3] * middle_x - m[4] * middle_y;
    draw_light(draw, policy, rng);
}

/* ---- sampling ---- */

/* Mirrors an index into [0, n); *fold gets how often it crossed the border, with
 * its sign. */
static int64_t mirror(int64_t i, int64_t n, int64_t *fold)
{
    int64_t period = i >= 0 ? i / n : -((-i + n - 1) / n);
    int64_t rest = i - period * n;
    *fold = period;
    return period % 2 ? n - 1 - rest : rest;
}

static inline int64_t inside(int64_t i, int64_t n, bool reflect)
{
    if ((uint64_t)i < (uint64_t)n)
        return i;
    int64_t fold;
    return reflect ? mirror(i, n, &fold) : -1;
}

/* Rows of the output as floats: (value - offset) * gain. */
#define DEFINE_WARP(type)                                                                          \
    CLONES(static, void, warp_##type,                                                              \
           (const struct augment_draw *d, const type *in, size_t channels, float gain,             \
            float offset, float *out),                                                             \
           (d, in, channels, gain, offset, out))                                                   \
    {                                                                                              \
        const int64_t h = (int64_t)d->in_height, w = (int64_t)d->in_width;                         \
        const bool reflect = d->border == AUGMENT_REFLECT;                                         \
        const double *m = d->matrix;                                                               \
        for (size_t oy = 0; oy < d->out_height; oy++)                                              \
            for (size_t ox = 0; ox < d->out_width; ox++, out += channels) {                        \
                double x = m[0] * (double)ox + m[1] * (double)oy + m[2];                           \
                double y = m[3] * (double)ox + m[4] * (double)oy + m[5];                           \
                double fx = floor(x), fy = floor(y);                                               \
                float ax = (float)(x - fx), ay = (float)(y - fy);                                  \
                const float weight[4] = {(1 - ay) * (1 - ax), (1 - ay) * ax, ay * (1 - ax),        \
                                         ay * ax};                                                 \
                int64_t x0 = inside((int64_t)fx, w, reflect);                                      \
                int64_t x1 = inside((int64_t)fx + 1, w, reflect);                                  \
                int64_t y0 = inside((int64_t)fy, h, reflect);                                      \
                int64_t y1 = inside((int64_t)fy + 1, h, reflect);                                  \
                const int64_t ys[4] = {y0, y0, y1, y1}, xs[4] = {x0, x1, x0, x1};                  \
                for (size_t c = 0; c < channels; c++)                                              \
                    out[c] = 0;                                                                    \
                for (int k = 0; k < 4; k++) {                                                      \
                    if (weight[k] == 0 || ys[k] < 0 || xs[k] < 0)                                  \
                        continue;                                                                  \
                    const type *p = in + (size_t)(ys[k] * w + xs[k]) * channels;                   \
                    for (size_t c = 0; c < channels; c++)                                          \
                        out[c] += weight[k] * ((float)p[c] - offset) * gain;                       \
                }                                                                                  \
            }                                                                                      \
    }

DEFINE_WARP(uint8_t)
DEFINE_WARP(uint16_t)
DEFINE_WARP(float)

/* ---- light ---- */

static float clamp01(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Tone curve first, then noise, then polarity; values are in [0, 1]. */
static int change_light(const struct augment_draw *d, float *data, size_t channels, struct err *err)
{
    size_t colors = channels == 2 || channels == 4 ? channels - 1 : channels;
    size_t h = d->out_height, w = d->out_width;
    if (d->blur > 0.2 && gaussian_blur(data, h, w, channels, d->blur, err))
        return -1;
    struct rng rng = d->noise_rng;
    double mean = 0;
    for (size_t i = 0; i < h * w; i++)
        for (size_t c = 0; c < colors; c++)
            mean += data[i * channels + c];
    mean /= (double)(h * w * colors);
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++) {
            double shade = d->shade_x * ((double)x / (double)w - 0.5) +
                           d->shade_y * ((double)y / (double)h - 0.5);
            float *p = data + (y * w + x) * channels;
            for (size_t c = 0; c < colors; c++) {
                double v = (p[c] - mean) * d->contrast + mean + d->brightness;
                float lit = powf(clamp01((float)v), (float)d->gamma) * (float)(1 + shade);
                lit = clamp01(lit + (float)d->noise * rng_quick_normal(&rng));
                p[c] = d->invert ? 1 - lit : lit;
            }
        }
    return 0;
}

/* ---- images ---- */

static void find_extremes(const struct array *image, float *low, float *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < array_count(image); i++) {
        float v = image->dtype == DTYPE_U8    ? ((const uint8_t *)image->data)[i]
                  : image->dtype == DTYPE_U16 ? ((const uint16_t *)image->data)[i]
                                              : ((const float *)image->data)[i];
        *low = v < *low ? v : *low;
        *high = v > *high ? v : *high;
    }
}

/* What maps pixels to about [0, 1]: where light changes, the image's own range with
 * some room on both sides. */
static void find_range(const struct array *image, bool light, float *offset, float *gain)
{
    const float room = 0.15f;
    float low, high;
    *offset = 0;
    *gain = image->dtype == DTYPE_U8 ? 1 / 255.f : image->dtype == DTYPE_U16 ? 1 / 65535.f : 1;
    if (!light)
        return;
    find_extremes(image, &low, &high);
    float span = high - low;
    if (span > 0 && isfinite(span)) {
        *offset = low - room * span;
        *gain = 1 / ((1 + 2 * room) * span);
    }
}

static float clamp(float x, float high)
{
    return x < 0 ? 0 : x > high ? high : x;
}

static void store(const float *from, struct array *out, float offset, float gain)
{
    size_t n = array_count(out);
    uint8_t *to8 = out->data;
    uint16_t *to16 = out->data;
    float *to32 = out->data;
    for (size_t i = 0; i < n; i++) {
        float v = from[i] / gain + offset;
        if (out->dtype == DTYPE_U8)
            to8[i] = (uint8_t)(clamp(v, 255) + 0.5f);
        else if (out->dtype == DTYPE_U16)
            to16[i] = (uint16_t)(clamp(v, 65535) + 0.5f);
        else
            to32[i] = v;
    }
}

static void warp(const struct augment_draw *draw, const struct array *image, float offset,
                 float gain, float *out)
{
    size_t channels = image->shape[2];
    switch (image->dtype) {
    case DTYPE_U8:
        warp_uint8_t(draw, image->data, channels, gain, offset, out);
        break;
    case DTYPE_U16:
        warp_uint16_t(draw, image->data, channels, gain, offset, out);
        break;
    default:
        warp_float(draw, image->data, channels, gain, offset, out);
        break;
    }
}

int augment_image(const struct augment_draw *draw, const struct array *image, struct array *out,
                  struct err *err)
{
    bool known = image->dtype == DTYPE_U8 || image->dtype == DTYPE_U16 || image->dtype == DTYPE_F32;
    if (!known || image->ndim != 3 || image->shape[0] != draw->in_height ||
        image->shape[1] != draw->in_width || image->shape[2] > MAX_CHANNELS ||
        array_count(image) == 0)
        return err_set(err, STATUS_DATA, "image: not an H x W x C array of the size drawn for");
    size_t shape[] = {draw->out_height, draw->out_width, image->shape[2]};
    struct array floats = {0};
    if (array_new(&floats, DTYPE_F32, 3, shape, err))
        return -1;
    float offset, gain;
    find_range(image, draw->light, &offset, &gain);
    warp(draw, image, offset, gain, floats.data);
    int result = draw->light ? change_light(draw, floats.data, shape[2], err) : 0;
    if (result == 0 && (result = array_new(out, image->dtype, 3, shape, err)) == 0)
        store(floats.data, out, offset, gain);
    array_free(&floats);
    return result;
}

/* ---- masks ---- */

static void put_label(struct array *mask, size_t i, uint64_t label)
{
    switch (dtype_size(mask->dtype)) {
    case 1:
        ((uint8_t *)mask->data)[i] = (uint8_t)label;
        break;
    case 2:
        ((uint16_t *)mask->data)[i] = (uint16_t)label;
        break;
    case 4:
        ((uint32_t *)mask->data)[i] = (uint32_t)label;
        break;
    default:
        ((uint64_t *)mask->data)[i] = label;
        break;
    }
}

/* A number for each mirrored copy of the input: 0 for the input itself. */
static uint64_t copy_number(int64_t fold_y, int64_t fold_x)
{
    uint64_t y = (uint64_t)(fold_y < 0 ? -2 * fold_y - 1 : 2 * fold_y) % 64;
    uint64_t x = (uint64_t)(fold_x < 0 ? -2 * fold_x - 1 : 2 * fold_x) % 64;
    return y * 64 + x;
}

static uint64_t largest_label(const struct array *mask)
{
    uint64_t largest = 0;
    for (size_t i = 0; i < array_count(mask); i++)
        if (convert_label_at(mask, i) > largest)
            largest = convert_label_at(mask, i);
    return largest;
}

static uint64_t sample_label(const struct augment_draw *d, const struct array *mask, double x,
                             double y, uint64_t copy_step)
{
    int64_t h = (int64_t)d->in_height, w = (int64_t)d->in_width;
    int64_t ix = (int64_t)floor(x + 0.5), iy = (int64_t)floor(y + 0.5), fold_x, fold_y;
    int64_t mx = mirror(ix, w, &fold_x), my = mirror(iy, h, &fold_y);
    if ((fold_x || fold_y) && d->border == AUGMENT_ZERO)
        return 0;
    uint64_t label = convert_label_at(mask, (size_t)(my * w + mx));
    return label ? label + copy_step * copy_number(fold_y, fold_x) : 0;
}

int augment_mask(const struct augment_draw *draw, const struct array *mask, bool instances,
                 struct array *out, struct err *err)
{
    if (mask->ndim != 2 || mask->shape[0] != draw->in_height || mask->shape[1] != draw->in_width ||
        mask->dtype >= DTYPE_F16 || array_count(mask) == 0)
        return err_set(err, STATUS_DATA, "mask: not an H x W array of the size drawn for");
    uint64_t step = instances ? largest_label(mask) : 0;
    if (step > UINT32_MAX / 4096)
        return err_set(err, STATUS_DATA, "mask: labels too large");
    size_t shape[] = {draw->out_height, draw->out_width};
    if (array_new(out, instances ? DTYPE_U32 : mask->dtype, 2, shape, err))
        return -1;
    const double *m = draw->matrix;
    for (size_t oy = 0; oy < shape[0]; oy++)
        for (size_t ox = 0; ox < shape[1]; ox++) {
            double x = m[0] * (double)ox + m[1] * (double)oy + m[2];
            double y = m[3] * (double)ox + m[4] * (double)oy + m[5];
            put_label(out, oy * shape[1] + ox, sample_label(draw, mask, x, y, step));
        }
    return 0;
}
