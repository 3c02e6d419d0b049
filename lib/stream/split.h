/* Samples split into a training and a test part, by units that stay together
 * (source images, or single tiles), and a look at what leaks between the parts. */
#ifndef STREAM_SPLIT_H
#define STREAM_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/array.h"

struct split;

/* New; split_free frees it.  `fraction`: of the units, for the test part. */
int split_new(struct split **split, uint64_t seed, double fraction, struct err *err) MUST_CHECK;
void split_free(struct split *split);

/* Notes a sample: the unit it belongs to, its source image ("" when unknown) and
 * its pixels' hash (0 when there is nothing to compare). */
int split_add(struct split *split, const char *unit, const char *source, uint64_t pixels,
              struct err *err) MUST_CHECK;

/* With all samples noted: exactly round(fraction x units) of them, those whose
 * hash of seed and name is smallest, become the test part; at least one, and at
 * least one is left.  One unit alone cannot be split: STATUS_DATA.  Without this
 * call a unit's part is its hash against the fraction and depends on nothing
 * else. */
int split_decide(struct split *split, struct err *err) MUST_CHECK;

bool split_is_test(const struct split *split, const char *unit);

/* STATUS_DATA, naming what was found, when a source image has samples in both
 * parts or when the same pixels are in both. */
int split_check(const struct split *split, struct err *err) MUST_CHECK;

/* A hash of an image's elements; 0 when they are all the same. */
uint64_t split_hash_pixels(const struct array *image);

#endif
