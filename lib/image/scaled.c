#include "image/scaled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/units.h"

#define SAME 0.002 /* factors nearer to 1 are none */

static int64_t scaled_side(int64_t side, double factor)
{
    double scaled = round((double)side / factor);
    return scaled < 1 ? 1 : scaled > 1e15 ? INT64_C(1000000000000000) : (int64_t)scaled;
}

int scaled_begin(struct scaled *scaled, struct image_info *info, double um, bool is_discrete,
                 struct err *err)
{
    double across = um / info->pixel_width, down = um / info->pixel_height;
    *scaled = (struct scaled){.from = *info, .is_discrete = is_discrete};
    if (fabs(across - 1) < SAME && fabs(down - 1) < SAME)
        return 0;
    if (!info->full_width) {
        info->full_width = info->width;
        info->full_height = info->height;
    }
    info->width = scaled_side(info->width, across);
    info->height = scaled_side(info->height, down);
    scaled->across = (double)scaled->from.width / (double)info->width;
    scaled->down = (double)scaled->from.height / (double)info->height;
    info->pixel_width = units_sane(info->pixel_width * scaled->across);
    info->pixel_height = units_sane(info->pixel_height * scaled->down);
    size_t values = (size_t)info->width * (size_t)info->channels;
    if (info->width > INT32_MAX || info->height > INT32_MAX)
        return err_set(err, STATUS_DATA, "an image of %lld x %lld pixels after scaling",
                       (long long)info->width, (long long)info->height);
    scaled->is_on = true;
    scaled->raw = malloc(image_row_bytes(&scaled->from));
    scaled->held = malloc(values * sizeof *scaled->held);
    scaled->sums = malloc(values * sizeof *scaled->sums);
    return scaled->raw && scaled->held && scaled->sums ? 0 : err_memory(err, "a scaled row");
}

void scaled_rewind(struct scaled *scaled)
{
    scaled->next = scaled->row = 0;
}

void scaled_end(struct scaled *scaled)
{
    free(scaled->raw);
    free(scaled->held);
    free(scaled->sums);
    *scaled = (struct scaled){.is_on = false};
}

static size_t width_of(const struct scaled *s)
{
    return (size_t)lround((double)s->from.width / s->across);
}

/* ---- labels ---- */

static void take_middles(const struct scaled *s, void *to)
{
    size_t pixel = (size_t)s->from.channels * (size_t)(s->from.bits / 8), width = width_of(s);
    unsigned char *next = to;
    for (size_t x = 0; x < width; x++, next += pixel) {
        size_t at = (size_t)(((double)x + 0.5) * s->across);
        memcpy(next, s->raw + at * pixel, pixel);
    }
}

static int discrete_row(struct scaled *s, void *to, scaled_source *source, void *user,
                        struct err *err)
{
    int64_t wanted = (int64_t)(((double)s->row + 0.5) * s->down);
    while (s->next <= wanted) {
        if (source(user, 1, s->raw, err))
            return -1;
        s->next++;
    }
    take_middles(s, to);
    return 0;
}

/* ---- means ---- */

/* The share of [at, at + 1] that lies in [from, to]. */
static double overlap(double at, double from, double to)
{
    double low = at > from ? at : from, high = at + 1 < to ? at + 1 : to;
    return high > low ? high - low : 0;
}

static double value_at(const struct scaled *s, size_t i)
{
    return s->from.bits == 8    ? s->raw[i]
           : s->from.bits == 16 ? ((const uint16_t *)(const void *)s->raw)[i]
           : s->from.is_label   ? ((const uint32_t *)(const void *)s->raw)[i]
                                : (double)((const float *)(const void *)s->raw)[i];
}

/* The last old row with new columns. */
static void hold(struct scaled *s)
{
    size_t channels = (size_t)s->from.channels, width = width_of(s);
    for (size_t x = 0; x < width; x++) {
        double from = (double)x * s->across, to = from + s->across;
        size_t first = (size_t)from, last = (size_t)ceil(to);
        if (last > (size_t)s->from.width)
            last = (size_t)s->from.width;
        for (size_t c = 0; c < channels; c++) {
            double sum = 0;
            for (size_t i = first; i < last; i++)
                sum += value_at(s, i * channels + c) * overlap((double)i, from, to);
            s->held[x * channels + c] = (float)(sum / s->across);
        }
    }
}

static void put_row(const struct scaled *s, void *to)
{
    size_t n = width_of(s) * (size_t)s->from.channels;
    for (size_t i = 0; i < n; i++) {
        if (s->from.bits == 8)
            ((uint8_t *)to)[i] = (uint8_t)(s->sums[i] + 0.5f);
        else if (s->from.bits == 16)
            ((uint16_t *)to)[i] = (uint16_t)(s->sums[i] + 0.5f);
        else if (s->from.is_label)
            ((uint32_t *)to)[i] = (uint32_t)((double)s->sums[i] + 0.5);
        else
            ((float *)to)[i] = s->sums[i];
    }
}

static int mean_row(struct scaled *s, void *to, scaled_source *source, void *user, struct err *err)
{
    size_t n = width_of(s) * (size_t)s->from.channels;
    double from = (double)s->row * s->down, until = from + s->down;
    int64_t first = (int64_t)from, last = (int64_t)ceil(until - 1e-9);
    if (last > s->from.height)
        last = s->from.height;
    for (size_t i = 0; i < n; i++)
        s->sums[i] = 0;
    for (int64_t y = first; y < last; y++) {
        if (y >= s->next) {
            if (source(user, 1, s->raw, err))
                return -1;
            s->next++;
            hold(s);
        }
        float share = (float)(overlap((double)y, from, until) / s->down);
        for (size_t i = 0; i < n; i++)
            s->sums[i] += share * s->held[i];
    }
    put_row(s, to);
    return 0;
}

int scaled_rows(struct scaled *scaled, int64_t rows, void *to, scaled_source *source, void *user,
                struct err *err)
{
    size_t row = width_of(scaled) * (size_t)scaled->from.channels * (size_t)(scaled->from.bits / 8);
    for (int64_t y = 0; y < rows; y++) {
        void *next = (char *)to + (size_t)y * row;
        if (scaled->is_discrete ? discrete_row(scaled, next, source, user, err)
                                : mean_row(scaled, next, source, user, err))
            return -1;
        scaled->row++;
    }
    return 0;
}
