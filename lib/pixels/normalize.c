#include "pixels/normalize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BINS 65536

int normalize_new(struct normalize *normalize, enum dtype dtype, struct err *err)
{
    *normalize = (struct normalize){.dtype = dtype};
    if (dtype != DTYPE_U8 && dtype != DTYPE_U16 && dtype != DTYPE_F32)
        return err_set(err, STATUS_BUG, "no range of %s values", dtype_name(dtype));
    normalize->counts = calloc(BINS, sizeof *normalize->counts);
    return normalize->counts ? 0 : err_memory(err, "a histogram");
}

void normalize_free(struct normalize *normalize)
{
    free(normalize->counts);
    free(normalize->edges[0].lower);
    free(normalize->edges[1].lower);
    *normalize = (struct normalize){0};
}

/* The bits of a float, changed so that they sort as the float does. */
static uint32_t sortable(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static float unsortable(uint32_t bits)
{
    float value;
    bits = bits & 0x80000000u ? bits & 0x7fffffffu : ~bits;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define MOST_BYTES ((size_t)1 << 30) /* that tables of 32 bits count */

/* Eight at a time: an addition to the place of the one before it would wait, and equal
 * neighbors are many. */
static void count_bytes(uint64_t *counts, const uint8_t *values, size_t n)
{
    uint32_t tables[2][256] = {0};
    uint64_t eight;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        memcpy(&eight, values + i, sizeof eight);
        if (eight == (eight << 8 | eight >> 56)) {
            tables[0][values[i]] += 8;
            continue;
        }
        for (size_t k = i; k < i + 8; k += 2) {
            tables[0][values[k]]++;
            tables[1][values[k + 1]]++;
        }
    }
    for (; i < n; i++)
        tables[0][values[i]]++;
    for (int v = 0; v < 256; v++)
        counts[v] += (uint64_t)tables[0][v] + tables[1][v];
}

void normalize_count(struct normalize *normalize, const void *values, size_t n)
{
    uint64_t *counts = normalize->counts, skipped = 0;
    const float *floats = values;
    if (normalize->dtype == DTYPE_U8)
        for (size_t done = 0; done < n; done += MOST_BYTES)
            count_bytes(counts, (const uint8_t *)values + done,
                        n - done < MOST_BYTES ? n - done : MOST_BYTES);
    else if (normalize->dtype == DTYPE_U16)
        for (size_t i = 0; i < n; i++)
            counts[((const uint16_t *)values)[i]]++;
    else
        for (size_t i = 0; i < n; i++) {
            if (isfinite(floats[i]))
                counts[sortable(floats[i]) >> 16]++;
            else
                skipped++;
        }
    normalize->total += n - skipped;
}

/* The bin that holds a rank, and how many values come before that bin. */
static uint32_t find_bin(const uint64_t *counts, uint64_t rank, uint64_t *before)
{
    uint32_t bin = 0;
    *before = 0;
    while (bin < BINS - 1 && *before + counts[bin] <= rank)
        *before += counts[bin++];
    return bin;
}

int normalize_choose(struct normalize *normalize, double low, double high, struct err *err)
{
    const double percentiles[2] = {low, high};
    if (!normalize->total)
        return err_set(err, STATUS_DATA, "no finite value in the image");
    for (int i = 0; i < 2; i++) {
        struct normalize_edge *edge = &normalize->edges[i];
        edge->rank = (uint64_t)floor(percentiles[i] / 100 * (double)(normalize->total - 1) + 0.5);
        edge->upper = find_bin(normalize->counts, edge->rank, &edge->before);
        if (normalize->dtype != DTYPE_F32)
            continue;
        edge->lower = calloc(BINS, sizeof *edge->lower);
        if (!edge->lower)
            return err_memory(err, "a histogram");
    }
    return normalize->dtype == DTYPE_F32;
}

void normalize_refine(struct normalize *normalize, const void *values, size_t n)
{
    const float *floats = values;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(floats[i]))
            continue;
        uint32_t bits = sortable(floats[i]);
        for (int k = 0; k < 2; k++)
            if (bits >> 16 == normalize->edges[k].upper)
                normalize->edges[k].lower[bits & 0xffff]++;
    }
}

static double value_at(const struct normalize *normalize, const struct normalize_edge *edge)
{
    uint64_t before;
    if (normalize->dtype != DTYPE_F32)
        return edge->upper;
    uint32_t lower = find_bin(edge->lower, edge->rank - edge->before, &before);
    return unsortable(edge->upper << 16 | lower);
}

void normalize_range(const struct normalize *normalize, double *low, double *high)
{
    *low = value_at(normalize, &normalize->edges[0]);
    *high = value_at(normalize, &normalize->edges[1]);
}

int normalize_image(const struct array *image, double *offset, double *gain, struct err *err)
{
    struct normalize n;
    double low = 0, high = 0;
    struct err none;
    int result = normalize_new(&n, image->dtype, err);
    if (result == 0) {
        normalize_count(&n, image->data, array_count(image));
        int more = normalize_choose(&n, NORMALIZE_LOW, NORMALIZE_HIGH, &none);
        if (more == 1)
            normalize_refine(&n, image->data, array_count(image));
        if (more >= 0)
            normalize_range(&n, &low, &high);
    }
    normalize_free(&n);
    *offset = low;
    *gain = high > low ? 1 / (high - low) : 1;
    return result;
}
