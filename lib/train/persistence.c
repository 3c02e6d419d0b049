#include "train/persistence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"

#define RADIX_BITS 11
#define RADIX      (1 << RADIX_BITS)
#define NONE       UINT32_MAX

/* A value's bits as an unsigned number of the same order. */
static uint32_t ordered_bits(float value)
{
    uint32_t bits;
    value += 0.0f; /* -0 is 0 */
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

struct keyed {
    uint32_t key, pixel;
};

/* A stable pass over one digit. */
static void radix_pass(const struct keyed *from, struct keyed *to, size_t n, int shift)
{
    size_t at[RADIX] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++)
        at[from[i].key >> shift & (RADIX - 1)]++;
    for (size_t d = 0; d < RADIX; d++) {
        size_t count = at[d];
        at[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[at[from[i].key >> shift & (RADIX - 1)]++] = from[i];
}

/* The union of components: `parent` is a forest, NONE for pixels to come; a root's
 * `oldest` is the pixel where its component was born. */
struct forest {
    const float *image;
    size_t height, width;
    struct keyed *order, *spare;
    uint32_t *parent, *oldest, *rank; /* rank: place in the order */
    struct feature *features;
    size_t feature_count;
};

static void forest_free(struct forest *f)
{
    free(f->order);
    free(f->spare);
    free(f->parent);
    free(f->oldest);
    free(f->rank);
    free(f->features);
}

/* One node more than pixels: the outside. */
static int forest_new(struct forest *f, const float *image, size_t height, size_t width,
                      struct err *err)
{
    size_t n;
    *f = (struct forest){.image = image, .height = height, .width = width};
    if (!num_mul(height, width, &n) || n >= NONE)
        return err_set(err, STATUS_DATA, "an image of %zu x %zu pixels is too large", width,
                       height);
    f->order = calloc(n + 1, sizeof *f->order);
    f->spare = calloc(n + 1, sizeof *f->spare);
    f->parent = calloc(n + 1, sizeof *f->parent);
    f->oldest = calloc(n + 1, sizeof *f->oldest);
    f->rank = calloc(n + 1, sizeof *f->rank);
    f->features = calloc(n + 1, sizeof *f->features);
    if (f->order && f->spare && f->parent && f->oldest && f->rank && f->features)
        return 0;
    forest_free(f);
    return err_memory(err, "persistence");
}

/* Pixels by value, the largest first and equal ones as they stand; or the reverse. */
static int sort_pixels(struct forest *f, bool falling, struct err *err)
{
    size_t n = f->height * f->width;
    for (size_t i = 0; i < n; i++) {
        if (isnan(f->image[i]))
            return err_set(err, STATUS_DATA, "pixel %zu is not a number", i);
        f->order[i] = (struct keyed){~ordered_bits(f->image[i]), (uint32_t)i};
    }
    radix_pass(f->order, f->spare, n, 0);
    radix_pass(f->spare, f->order, n, RADIX_BITS);
    radix_pass(f->order, f->spare, n, 2 * RADIX_BITS);
    for (size_t i = 0; i < n; i++) {
        f->order[i] = f->spare[falling ? i : n - 1 - i];
        f->rank[f->order[i].pixel] = (uint32_t)i + 1;
    }
    return 0;
}

static uint32_t find_root(uint32_t *parent, uint32_t node)
{
    while (parent[node] != node)
        node = parent[node] = parent[parent[node]];
    return node;
}

/* The components of `pixel` and its neighbor meet at `pixel`: the younger dies. */
static void meet(struct forest *f, uint32_t pixel, uint32_t neighbor)
{
    if (f->parent[neighbor] == NONE)
        return;
    uint32_t a = find_root(f->parent, pixel), b = find_root(f->parent, neighbor);
    if (a == b)
        return;
    if (f->rank[f->oldest[a]] < f->rank[f->oldest[b]]) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    f->parent[a] = b;
    uint32_t born = f->oldest[a];
    if (f->image[born] != f->image[pixel])
        f->features[f->feature_count++] =
            (struct feature){f->image[born], f->image[pixel], born, pixel};
}

static void add_pixel(struct forest *f, uint32_t pixel, bool diagonals, uint32_t outside)
{
    static const int steps[8][2] = {{-1, 0},  {0, -1}, {0, 1},  {1, 0},
                                    {-1, -1}, {-1, 1}, {1, -1}, {1, 1}};
    size_t y = pixel / f->width, x = pixel % f->width;
    bool border = y == 0 || x == 0 || y + 1 == f->height || x + 1 == f->width;
    f->parent[pixel] = f->oldest[pixel] = pixel;
    for (int i = 0; i < (diagonals ? 8 : 4); i++) {
        size_t ny = y + (size_t)steps[i][0], nx = x + (size_t)steps[i][1];
        if (ny < f->height && nx < f->width)
            meet(f, pixel, (uint32_t)(ny * f->width + nx));
    }
    if (border && outside != NONE)
        meet(f, pixel, outside);
}

static void build(struct forest *f, bool diagonals, uint32_t outside)
{
    size_t n = f->height * f->width;
    memset(f->parent, 0xff, (n + 1) * sizeof *f->parent);
    if (outside != NONE) {
        f->parent[outside] = f->oldest[outside] = outside;
        f->rank[outside] = 0;
    }
    for (size_t i = 0; i < n; i++)
        add_pixel(f, f->order[i].pixel, diagonals, outside);
}

static int compare_features(const void *a, const void *b)
{
    const struct feature *x = a, *y = b;
    float px = x->birth - x->death, py = y->birth - y->death;
    if (px != py)
        return px > py ? -1 : 1;
    if (x->birth_pixel != y->birth_pixel)
        return x->birth_pixel < y->birth_pixel ? -1 : 1;
    return (x->death_pixel > y->death_pixel) - (x->death_pixel < y->death_pixel);
}

/* Hands the features over, sorted; the rest of the forest is freed. */
static void finish(struct forest *f, struct diagram *diagram)
{
    qsort(f->features, f->feature_count, sizeof *f->features, compare_features);
    *diagram = (struct diagram){f->features, f->feature_count};
    struct feature *fitted = realloc(f->features, (f->feature_count + 1) * sizeof *f->features);
    if (fitted)
        diagram->features = fitted;
    f->features = NULL;
    forest_free(f);
}

int persistence_components(struct diagram *diagram, const float *image, size_t height, size_t width,
                           enum connectivity connectivity, struct err *err)
{
    struct forest f;
    if (forest_new(&f, image, height, width, err))
        return -1;
    if (sort_pixels(&f, true, err)) {
        forest_free(&f);
        return -1;
    }
    build(&f, connectivity == CONNECT_8, NONE);
    uint32_t first = f.order[0].pixel;
    if (height && width && image[first] > 0)
        f.features[f.feature_count++] =
            (struct feature){image[first], 0, first, PERSISTENCE_NO_PIXEL};
    finish(&f, diagram);
    return 0;
}

int persistence_holes(struct diagram *diagram, const float *image, size_t height, size_t width,
                      enum connectivity connectivity, struct err *err)
{
    struct forest f;
    if (forest_new(&f, image, height, width, err))
        return -1;
    if (sort_pixels(&f, false, err)) {
        forest_free(&f);
        return -1;
    }
    build(&f, connectivity == CONNECT_4, (uint32_t)(height * width));
    for (size_t i = 0; i < f.feature_count; i++) {
        struct feature *h = &f.features[i];
        *h = (struct feature){h->death, h->birth, h->death_pixel, h->birth_pixel};
    }
    finish(&f, diagram);
    return 0;
}

void diagram_free(struct diagram *diagram)
{
    free(diagram->features);
    *diagram = (struct diagram){0};
}

size_t diagram_signal(const struct diagram *diagram, float threshold)
{
    size_t n = 0;
    while (n < diagram->count &&
           diagram->features[n].birth - diagram->features[n].death > threshold)
        n++;
    return n;
}
