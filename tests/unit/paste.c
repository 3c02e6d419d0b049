/* lib/objects/paste: cells cut out and pasted. */
#include "objects/paste.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"

enum { SIDE = 64 };

static struct err err;
static const struct paste_area whole = {0, 0, SIDE, SIDE};

static struct array make(enum dtype dtype, size_t channels)
{
    struct array a;
    if (array_new(&a, dtype, channels ? 3 : 2, (size_t[]){SIDE, SIDE, channels}, &err))
        exit(1);
    return a;
}

static void put(struct array *image, size_t i, double value)
{
    if (image->dtype == DTYPE_U8)
        ((uint8_t *)image->data)[i] = (uint8_t)value;
    else if (image->dtype == DTYPE_U16)
        ((uint16_t *)image->data)[i] = (uint16_t)value;
    else
        ((float *)image->data)[i] = (float)value;
}

static double get(const struct array *image, size_t i)
{
    return image->dtype == DTYPE_U8    ? ((const uint8_t *)image->data)[i]
           : image->dtype == DTYPE_U16 ? ((const uint16_t *)image->data)[i]
                                       : (double)((const float *)image->data)[i];
}

static struct array ground(enum dtype dtype, size_t channels, double value)
{
    struct array image = make(dtype, channels);
    for (size_t i = 0; i < array_count(&image); i++)
        put(&image, i, value);
    return image;
}

/* A square of side 9, so much brighter. */
static void add_cell(struct array *image, struct array *mask, size_t top, size_t left,
                     uint32_t label, double by)
{
    size_t channels = image->shape[2];
    for (size_t y = top; y < top + 9; y++)
        for (size_t x = left; x < left + 9; x++) {
            ((uint32_t *)mask->data)[y * SIDE + x] = label;
            for (size_t c = 0; c < channels; c++) {
                size_t i = (y * SIDE + x) * channels + c;
                put(image, i, get(image, i) + by);
            }
        }
}

static void take(struct cutouts *cutouts, const struct array *image, const struct array *mask,
                 const struct paste_area *area)
{
    if (cutouts_take(cutouts, image, mask, area, &err))
        printf("# %s\n", err.message);
}

static void check_taken(void)
{
    struct cutouts cutouts = {.room = PASTE_ROOM};
    struct array image = ground(DTYPE_U8, 1, 100), mask = make(DTYPE_U32, 0);
    add_cell(&image, &mask, 20, 20, 7, 50);
    take(&cutouts, &image, &mask, &whole);
    ok(cutouts.list.count == 1, "a cell");
    add_cell(&image, &mask, 0, 20, 8, 50);
    take(&cutouts, &image, &mask, &whole);
    ok(cutouts.list.count == 2, "none at the border");
    take(&cutouts, &image, &mask, &(struct paste_area){20, 0, SIDE, SIDE});
    ok(cutouts.list.count == 2, "nor at what was added to fill the tile");
    take(&cutouts, &image, &mask, &(struct paste_area){15, 15, 32, 32});
    ok(cutouts.list.count == 2, "nor of more than half of it");
    add_cell(&image, &mask, 50, 50, 7, 50);
    take(&cutouts, &image, &mask, &whole);
    ok(cutouts.list.count == 2, "nor in two pieces");
    for (size_t i = 0; i < SIDE * SIDE; i++)
        if (((uint32_t *)mask.data)[i] == 0)
            ((uint32_t *)mask.data)[i] = 9;
    take(&cutouts, &image, &mask, &whole);
    ok(cutouts.list.count == 2, "nor without any ground");
    cutouts_free(&cutouts);
    array_free(&image);
    array_free(&mask);
}

struct pasted {
    struct array image, mask;
    size_t count;
};

static struct pasted paste(const struct cutouts *cutouts, size_t most, const struct array *image,
                           const struct array *mask, uint64_t seed)
{
    struct pasted p = {.count = 0};
    struct rng rng = rng_new(seed, "paste");
    if (cutouts_paste(cutouts, &rng, most, image, mask, &p.image, &p.mask, &p.count, &err))
        printf("# %s\n", err.message);
    return p;
}

static void pasted_free(struct pasted *p)
{
    array_free(&p->image);
    array_free(&p->mask);
}

static uint32_t label_at(const struct array *mask, size_t i)
{
    return ((const uint32_t *)mask->data)[i];
}

static size_t area_of(const struct array *mask, uint32_t label)
{
    size_t n = 0;
    for (size_t i = 0; i < SIDE * SIDE; i++)
        n += label_at(mask, i) == label;
    return n;
}

/* Values within new cells, and the least and most of what is new ground. */
static bool values_are(const struct pasted *p, const struct array *was, const struct array *mask,
                       double cell, double ground_value)
{
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        double value = get(&p->image, i);
        bool is_new = label_at(&p->mask, i) && !label_at(mask, i);
        if (label_at(mask, i) && value != get(was, i))
            return false;
        if (is_new && fabs(value - cell) > 1e-3)
            return false;
        if (!label_at(&p->mask, i) && fabs(value - ground_value) > 1e-3)
            return false;
    }
    return true;
}

static void check_pasted(enum dtype dtype, double scale)
{
    struct cutouts cutouts = {.room = PASTE_ROOM};
    struct array image = ground(dtype, 1, 100 * scale), mask = make(DTYPE_U32, 0);
    struct array dark = ground(dtype, 1, 40 * scale), one = make(DTYPE_U32, 0);
    add_cell(&image, &mask, 20, 20, 7, 50 * scale);
    add_cell(&dark, &one, 30, 30, 3, 20 * scale);
    take(&cutouts, &image, &mask, &whole);
    size_t most = 0;
    bool whole_cells = true, values = true, same = true;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct pasted p = paste(&cutouts, 12, &dark, &one, seed);
        struct pasted again = paste(&cutouts, 12, &dark, &one, seed);
        most = p.count > most ? p.count : most;
        for (uint32_t k = 1; k <= p.count; k++)
            whole_cells &= area_of(&p.mask, 3 + k) == 81;
        whole_cells &= area_of(&p.mask, 3) == 81 && area_of(&p.mask, 4 + (uint32_t)p.count) == 0;
        values &= values_are(&p, &dark, &one, 90 * scale, 40 * scale);
        same &= memcmp(p.image.data, again.image.data, array_bytes(&p.image)) == 0;
        pasted_free(&p);
        pasted_free(&again);
    }
    ok(most > 6 && most <= 12, "%s: up to so many cells", dtype_name(dtype));
    ok(whole_cells, "%s: each is whole, numbered from the last label on", dtype_name(dtype));
    ok(values, "%s: as much brighter than its ground as it was, and nothing else changes",
       dtype_name(dtype));
    ok(same, "%s: the same again by the same seed", dtype_name(dtype));
    cutouts_free(&cutouts);
    array_free(&image);
    array_free(&mask);
    array_free(&dark);
    array_free(&one);
}

/* The rim fades: outside of a cell whose light reaches further the values lie between. */
static void check_rim(void)
{
    struct cutouts cutouts = {.room = PASTE_ROOM};
    struct array image = ground(DTYPE_F32, 1, 0), mask = make(DTYPE_U32, 0);
    struct array empty = ground(DTYPE_F32, 1, 0), none = make(DTYPE_U32, 0);
    add_cell(&image, &mask, 20, 20, 1, 1);
    for (size_t y = 20; y < 29; y++)
        for (size_t x = 29; x < 40; x++)
            put(&image, y * SIDE + x, 0.8);
    take(&cutouts, &image, &mask, &whole);
    size_t at[3] = {0}, beyond = 0;
    for (uint64_t seed = 0; at[0] + at[1] + at[2] == 0 && seed < 50; seed++) {
        struct pasted p = paste(&cutouts, 1, &empty, &none, seed);
        for (size_t i = 0; i < SIDE * SIDE; i++)
            for (int k = 0; k < 3 && !label_at(&p.mask, i); k++)
                at[k] += fabs(get(&p.image, i) - 0.8 * (3 - k) / 4) < 1e-6;
        for (size_t i = 0; i < SIDE * SIDE; i++)
            beyond += !label_at(&p.mask, i) && get(&p.image, i) > 0;
        pasted_free(&p);
    }
    ok(at[0] == 9 && at[1] >= 7 && at[2] >= 7, "a rim of three pixels fades: %zu, %zu, %zu", at[0],
       at[1], at[2]);
    ok(beyond == at[0] + at[1] + at[2], "and nothing is further");
    cutouts_free(&cutouts);
    array_free(&image);
    array_free(&mask);
    array_free(&empty);
    array_free(&none);
}

static void check_room(void)
{
    struct cutouts cutouts = {.room = 4000};
    struct array image = ground(DTYPE_U16, 1, 100), mask = make(DTYPE_U32, 0);
    for (size_t k = 0; k < 9; k++)
        add_cell(&image, &mask, 4 + 18 * (k / 3), 4 + 18 * (k % 3), (uint32_t)k + 1, 50);
    for (int i = 0; i < 5; i++)
        take(&cutouts, &image, &mask, &whole);
    ok(cutouts.bytes <= 4000 && cutouts.list.count >= 2,
       "no more than there is room for: %zu bytes", cutouts.bytes);
    ok(cutouts.seen == 45 && cutouts.every >= 8, "one in %d is kept", (int)cutouts.every);
    cutouts_free(&cutouts);
    array_free(&image);
    array_free(&mask);
}

static void check_channels(void)
{
    struct cutouts cutouts = {.room = PASTE_ROOM};
    struct array image = ground(DTYPE_U8, 4, 100), mask = make(DTYPE_U32, 0);
    struct array gray = ground(DTYPE_U8, 1, 100), deep = ground(DTYPE_U16, 4, 100);
    struct array none = make(DTYPE_U8, 0);
    add_cell(&image, &mask, 20, 20, 1, 50);
    take(&cutouts, &image, &mask, &whole);
    ok(cutouts_fit(&cutouts, &image) && !cutouts_fit(&cutouts, &gray) &&
           !cutouts_fit(&cutouts, &deep),
       "cells fit images of their type and channels");
    struct pasted other = paste(&cutouts, 9, &gray, &none, 3);
    ok(other.count == 0 && memcmp(other.image.data, gray.data, array_bytes(&gray)) == 0,
       "others stay as they are");
    struct array plain = ground(DTYPE_U8, 4, 30);
    struct pasted p = {0};
    for (uint64_t seed = 0; p.count == 0; seed++) {
        pasted_free(&p);
        p = paste(&cutouts, 3, &plain, &none, seed);
    }
    size_t changed[4] = {0};
    for (size_t i = 0; i < array_count(&plain); i++)
        changed[i % 4] += get(&p.image, i) == 80;
    ok(changed[0] == 81 * p.count && changed[2] == changed[0] && changed[3] == 0,
       "alpha stays as it is");
    pasted_free(&p);
    pasted_free(&other);
    cutouts_free(&cutouts);
    array_free(&image);
    array_free(&mask);
    array_free(&gray);
    array_free(&deep);
    array_free(&plain);
    array_free(&none);
}

static void check_refused(void)
{
    struct cutouts cutouts = {.room = PASTE_ROOM};
    struct array image = ground(DTYPE_U8, 1, 100), real = make(DTYPE_F32, 0), small;
    struct array odd = make(DTYPE_I16, 1);
    if (array_new(&small, DTYPE_U32, 2, (size_t[]){SIDE, SIDE - 1}, &err))
        exit(1);
    ok(cutouts_take(&cutouts, &image, &small, &whole, &err) && err.status == STATUS_DATA,
       "a mask of another size");
    ok(cutouts_take(&cutouts, &image, &real, &whole, &err) && err.status == STATUS_DATA,
       "a mask that is none");
    ok(cutouts_take(&cutouts, &odd, &small, &whole, &err) && err.status == STATUS_DATA,
       "an image of another type");
    cutouts_free(&cutouts);
    array_free(&image);
    array_free(&real);
    array_free(&small);
    array_free(&odd);
}

int main(void)
{
    tap_plan(28);
    check_taken();
    check_pasted(DTYPE_U8, 1);
    check_pasted(DTYPE_U16, 100);
    check_pasted(DTYPE_F32, 0.01);
    check_rim();
    check_room();
    check_channels();
    check_refused();
    return tap_done();
}
