#include "stream/split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/growing.h"
#include "core/names.h"
#include "core/rng.h"

struct note {
    uint64_t unit;      /* hash of seed and name, which decides */
    const char *source; /* in `sources`: the same for the same; "" is the unknown */
    uint64_t pixels;
};

struct split {
    uint64_t seed, threshold; /* units whose hash is below are the test part */
    double fraction;
    struct growing notes; /* of struct note */
    struct names sources;
};

static uint64_t hash_unit(const struct split *split, const char *unit)
{
    struct rng rng = rng_new(split->seed, unit);
    return rng_u64(&rng);
}

int split_new(struct split **result, uint64_t seed, double fraction, struct err *err)
{
    struct split *split = calloc(1, sizeof *split);
    if (!split)
        return err_memory(err, "a split");
    split->seed = seed;
    split->fraction = fraction;
    split->notes.size = sizeof(struct note);
    split->threshold = (uint64_t)ldexp(fraction, 64);
    *result = split;
    return 0;
}

void split_free(struct split *split)
{
    if (!split)
        return;
    names_free(&split->sources);
    growing_free(&split->notes);
    free(split);
}

int split_add(struct split *split, const char *unit, const char *source, uint64_t pixels,
              struct err *err)
{
    struct note note = {.unit = hash_unit(split, unit), .pixels = pixels};
    note.source = names_keep(&split->sources, source, err);
    return !note.source ? -1 : growing_add(&split->notes, &note, err);
}

/* ---- the parts ---- */

static int compare_units(const void *a, const void *b)
{
    uint64_t x = ((const struct note *)a)->unit, y = ((const struct note *)b)->unit;
    return (x > y) - (x < y);
}

int split_decide(struct split *split, struct err *err)
{
    struct note *notes = split->notes.items;
    size_t units = 0;
    if (split->notes.count == 0)
        return 0;
    qsort(notes, split->notes.count, sizeof *notes, compare_units);
    for (size_t i = 0; i < split->notes.count; i++)
        units += i == 0 || notes[i].unit != notes[i - 1].unit;
    if (units == 1)
        return err_set(err, STATUS_DATA, "all samples belong together, there is nothing to split");
    size_t wanted = (size_t)llround(split->fraction * (double)units);
    wanted = wanted < 1 ? 1 : wanted >= units ? units - 1 : wanted;
    for (size_t i = 0, seen = 0; i < split->notes.count; i++) {
        seen += i == 0 || notes[i].unit != notes[i - 1].unit;
        if (seen > wanted) {
            split->threshold = notes[i].unit;
            return 0;
        }
    }
    return 0;
}

bool split_is_test(const struct split *split, const char *unit)
{
    return hash_unit(split, unit) < split->threshold;
}

/* ---- leaks ---- */

static int compare_sources(const void *a, const void *b)
{
    return strcmp(((const struct note *)a)->source, ((const struct note *)b)->source);
}

static int compare_pixels(const void *a, const void *b)
{
    const struct note *x = a, *y = b;
    return (x->pixels > y->pixels) - (x->pixels < y->pixels);
}

static bool in_both_parts(const struct split *split, const struct note *a, const struct note *b)
{
    return (a->unit < split->threshold) != (b->unit < split->threshold);
}

static int check_sources(const struct split *split, struct err *err)
{
    struct note *notes = split->notes.items;
    qsort(notes, split->notes.count, sizeof *notes, compare_sources);
    for (size_t i = 1; i < split->notes.count; i++)
        if (*notes[i].source && notes[i].source == notes[i - 1].source &&
            in_both_parts(split, &notes[i], &notes[i - 1]))
            return err_set(err, STATUS_DATA, "leakage: '%s' has tiles in both parts",
                           notes[i].source);
    return 0;
}

static const char *source_name(const struct note *note)
{
    return *note->source ? note->source : "unnamed";
}

static int check_pixels(const struct split *split, struct err *err)
{
    struct note *notes = split->notes.items;
    qsort(notes, split->notes.count, sizeof *notes, compare_pixels);
    for (size_t i = 1; i < split->notes.count; i++)
        if (notes[i].pixels && notes[i].pixels == notes[i - 1].pixels &&
            in_both_parts(split, &notes[i], &notes[i - 1]))
            return err_set(err, STATUS_DATA,
                           "leakage: the same pixels are in both parts, of '%.200s' and '%.200s'",
                           source_name(&notes[i - 1]), source_name(&notes[i]));
    return 0;
}

int split_check(const struct split *split, struct err *err)
{
    if (split->notes.count == 0)
        return 0;
    return check_sources(split, err) || check_pixels(split, err) ? -1 : 0;
}

/* ---- pixels ---- */

static bool is_constant(const unsigned char *data, size_t size, size_t pixel)
{
    return size <= pixel || memcmp(data, data + pixel, size - pixel) == 0;
}

uint64_t split_hash_pixels(const struct array *image)
{
    const unsigned char *data = image->data;
    size_t size = array_bytes(image), channels = image->ndim > 2 ? image->shape[2] : 1;
    if (is_constant(data, size, channels * dtype_size(image->dtype)))
        return 0;
    return digest_fast(0x9e3779b97f4a7c15u ^ size, data, size) | 1;
}
