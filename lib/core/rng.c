#include "core/rng.h"

#include <math.h>
#include <stddef.h>

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static uint64_t hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325; /* FNV-1a */
    for (; text && *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3;
    return h;
}

struct rng rng_new(uint64_t seed, const char *key)
{
    uint64_t state = seed;
    state = splitmix(&state) ^ hash(key);
    struct rng rng;
    for (size_t i = 0; i < 4; i++)
        rng.state[i] = splitmix(&state);
    return rng;
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double rng_uniform(struct rng *rng)
{
    return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}

uint64_t rng_below(struct rng *rng, uint64_t n)
{
    uint64_t threshold = -n % n; /* values below it would make some results likelier */
    uint64_t x;
    do
        x = rng_u64(rng);
    while (x < threshold);
    return x % n;
}

double rng_between(struct rng *rng, double a, double b)
{
    return a + (b - a) * rng_uniform(rng);
}

double rng_normal(struct rng *rng)
{
    double u, v, s;
    do { /* Marsaglia's polar method, without the spare value: no hidden state */
        u = 2 * rng_uniform(rng) - 1;
        v = 2 * rng_uniform(rng) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    return u * sqrt(-2 * log(s) / s);
}

float rng_quick_normal(struct rng *rng)
{
    uint64_t u = rng_u64(rng);
    int64_t sum = (int64_t)((u & 0xffff) + (u >> 16 & 0xffff) + (u >> 32 & 0xffff) + (u >> 48));
    return (float)((double)(sum - 131070) * (1.7320508075688772 / 65536));
}
