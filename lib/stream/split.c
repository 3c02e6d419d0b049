#include "stream/split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/rng.h"

struct note {
    uint64_t unit; /* hash of seed and name, which decides */
    size_t source; /* in `sources`; 0 is the unknown */
    uint64_t pixels;
};

struct split {
    uint64_t seed, threshold; /* units whose hash is below are the test part */
    double fraction;
    struct note *notes;
    size_t count, room;
    char **sources;
    size_t source_count, source_room;
    size_t *table; /* open addressing: indices into sources, 0 is free */
    size_t table_size;
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
    split->threshold = (uint64_t)ldexp(fraction, 64);
    *result = split;
    return 0;
}

void split_free(struct split *split)
{
    if (!split)
        return;
    for (size_t i = 1; i < split->source_count; i++)
        free(split->sources[i]);
    free(split->sources);
    free(split->table);
    free(split->notes);
    free(split);
}

/* ---- names of sources ---- */

static size_t *find_slot(const struct split *split, const char *name)
{
    struct rng rng = rng_new(0, name);
    size_t i = rng_u64(&rng) & (split->table_size - 1);
    while (split->table[i] && strcmp(split->sources[split->table[i]], name) != 0)
        i = (i + 1) & (split->table_size - 1);
    return &split->table[i];
}

static int grow_table(struct split *split, struct err *err)
{
    size_t size = split->table_size ? 2 * split->table_size : 64;
    size_t *table = calloc(size, sizeof *table);
    char **sources = realloc(split->sources, size * sizeof *sources);
    if (sources)
        split->sources = sources;
    if (!table || !sources) {
        free(table);
        return err_memory(err, "the names of sources");
    }
    free(split->table);
    split->table = table;
    split->table_size = size;
    split->source_count += split->source_count == 0;
    for (size_t i = 1; i < split->source_count; i++)
        *find_slot(split, split->sources[i]) = i;
    return 0;
}

static int number_source(struct split *split, const char *name, size_t *number, struct err *err)
{
    *number = 0;
    if (!*name)
        return 0;
    if (2 * (split->source_count + 1) > split->table_size && grow_table(split, err))
        return -1;
    size_t *slot = find_slot(split, name);
    if (!*slot) {
        char *copy = strdup(name);
        if (!copy)
            return err_memory(err, "the names of sources");
        split->sources[split->source_count] = copy;
        *slot = split->source_count++;
    }
    *number = *slot;
    return 0;
}

int split_add(struct split *split, const char *unit, const char *source, uint64_t pixels,
              struct err *err)
{
    struct note note = {.unit = hash_unit(split, unit), .pixels = pixels};
    if (number_source(split, source, &note.source, err))
        return -1;
    if (split->count == split->room) {
        size_t room = split->room ? 2 * split->room : 256;
        struct note *notes = realloc(split->notes, room * sizeof *notes);
        if (!notes)
            return err_memory(err, "a list of samples");
        split->notes = notes;
        split->room = room;
    }
    split->notes[split->count++] = note;
    return 0;
}

/* ---- the parts ---- */

static int compare_units(const void *a, const void *b)
{
    uint64_t x = ((const struct note *)a)->unit, y = ((const struct note *)b)->unit;
    return (x > y) - (x < y);
}

int split_decide(struct split *split, struct err *err)
{
    struct note *notes = split->notes;
    size_t units = 0;
    if (split->count == 0)
        return 0;
    qsort(notes, split->count, sizeof *notes, compare_units);
    for (size_t i = 0; i < split->count; i++)
        units += i == 0 || notes[i].unit != notes[i - 1].unit;
    if (units == 1)
        return err_set(err, STATUS_DATA, "all samples belong together, there is nothing to split");
    size_t wanted = (size_t)llround(split->fraction * (double)units);
    wanted = wanted < 1 ? 1 : wanted >= units ? units - 1 : wanted;
    for (size_t i = 0, seen = 0; i < split->count; i++) {
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
    const struct note *x = a, *y = b;
    return (x->source > y->source) - (x->source < y->source);
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
    struct note *notes = split->notes;
    qsort(notes, split->count, sizeof *notes, compare_sources);
    for (size_t i = 1; i < split->count; i++)
        if (notes[i].source && notes[i].source == notes[i - 1].source &&
            in_both_parts(split, &notes[i], &notes[i - 1]))
            return err_set(err, STATUS_DATA, "leakage: '%s' has tiles in both parts",
                           split->sources[notes[i].source]);
    return 0;
}

static const char *source_name(const struct split *split, const struct note *note)
{
    return note->source ? split->sources[note->source] : "unnamed";
}

static int check_pixels(const struct split *split, struct err *err)
{
    struct note *notes = split->notes;
    qsort(notes, split->count, sizeof *notes, compare_pixels);
    for (size_t i = 1; i < split->count; i++)
        if (notes[i].pixels && notes[i].pixels == notes[i - 1].pixels &&
            in_both_parts(split, &notes[i], &notes[i - 1]))
            return err_set(err, STATUS_DATA,
                           "leakage: the same pixels are in both parts, of '%.200s' and '%.200s'",
                           source_name(split, &notes[i - 1]), source_name(split, &notes[i]));
    return 0;
}

int split_check(const struct split *split, struct err *err)
{
    if (split->count == 0)
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
