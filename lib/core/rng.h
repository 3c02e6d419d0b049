/* Random numbers that depend on a seed and a name only, never on order or
 * threads: a generator for each (seed, key).  xoshiro256++ of Blackman and Vigna
 * (2019), seeded through splitmix64.  A plain struct, so that a checkpoint can
 * keep it byte for byte. */
#ifndef CORE_RNG_H
#define CORE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state[4];
};

/* `key` may be NULL or "". */
struct rng rng_new(uint64_t seed, const char *key);

uint64_t rng_u64(struct rng *rng);
double rng_uniform(struct rng *rng);                     /* in [0, 1), 53 bits */
uint64_t rng_below(struct rng *rng, uint64_t n);         /* in [0, n), unbiased; n > 0 */
double rng_between(struct rng *rng, double a, double b); /* in [a, b) */
double rng_normal(struct rng *rng);                      /* mean 0, variance 1 */

/* Nearly that, quicker: the sum of four even 16-bit numbers. */
float rng_quick_normal(struct rng *rng);

#endif
