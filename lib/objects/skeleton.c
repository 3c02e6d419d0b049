#include "objects/skeleton.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "core/target.h"

/* The eight neighbors as bits, clockwise from the one above. */
static inline unsigned around(const uint8_t *p, size_t width)
{
    return (unsigned)((p[-(ptrdiff_t)width] != 0) | (p[-(ptrdiff_t)width + 1] != 0) << 1 |
                      (p[1] != 0) << 2 | (p[width + 1] != 0) << 3 | (p[width] != 0) << 4 |
                      (p[width - 1] != 0) << 5 | (p[-1] != 0) << 6 |
                      (p[-(ptrdiff_t)width - 1] != 0) << 7);
}

/* Pairs of neighbors of which one is set, beginning with that pair of bits. */
static int pairs(unsigned ring, unsigned first)
{
    unsigned rotated = (ring >> 1 | ring << 7) & 0xff;
    return __builtin_popcount((ring | rotated) & first);
}

/* How many pieces the neighbors are. */
static int pieces(unsigned ring)
{
    unsigned next = (ring >> 1 | ring << 7) & 0xff, second = (ring >> 2 | ring << 6) & 0xff;
    return __builtin_popcount(~ring & (next | second) & 0x55);
}

/* Whether a pixel goes in the first (0) or second (1) half of a pass. */
static bool goes(unsigned ring, int half)
{
    int some = pairs(ring, 0x55), others = pairs(ring, 0xaa);
    int least = some < others ? some : others;
    if (pieces(ring) != 1 || least < 2 || least > 3)
        return false;
    unsigned turned = half == 0 ? ring : (ring >> 4 | ring << 4) & 0xff;
    return !((turned & 3 || !(turned & 8)) && turned & 4);
}

/* Three pixels of a row as bits, 0 where the pixel is 0. */
static inline unsigned three(const uint8_t *p)
{
    uint32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    bytes = (bytes | bytes >> 1) & 0x010101; /* pixels are 0 to 3 */
    return bytes * 0x010204 >> 16 & 7;       /* bits 0, 8, 16 to bits 16, 17, 18 */
}

/* A pixel and its neighbors as nine bits, row by row. */
static inline unsigned block(const uint8_t *p, size_t width)
{
    return three(p - width - 1) | three(p - 1) << 3 | three(p + width - 1) << 6;
}

#define FULL_BLOCK 511

static unsigned ring_of(unsigned block)
{
    static const int clockwise[] = {1, 2, 5, 8, 7, 6, 3, 0};
    unsigned ring = 0;
    for (int i = 0; i < 8; i++)
        ring |= (block >> clockwise[i] & 1) << i;
    return ring;
}

/* What goes() says of every block. */
static bool removable[2][512];
static pthread_once_t removable_once = PTHREAD_ONCE_INIT;

static void fill_removable(void)
{
    for (unsigned i = 0; i < 512; i++)
        for (int half = 0; half < 2; half++)
            removable[half][i] = goes(ring_of(i), half);
}

/* What a pixel of the mask is; all but the first are foreground.  Whether a pixel goes
 * depends on its neighbors alone: one that stayed in both halves of a pass rests until
 * one of them goes, so that a large shape costs its pixels and not its pixels times its
 * width. */
enum { BACKGROUND, RESTING, LISTED, STAYED };

/* Pixels that may go: their neighbors changed since they were looked at. */
struct border {
    uint32_t *list;
    size_t count;
};

static void add_to_border(struct border *b, uint8_t *mask, size_t at)
{
    mask[at] = LISTED;
    b->list[b->count++] = (uint32_t)at;
}

static void find_border(struct border *b, uint8_t *mask, size_t width, const struct run *runs,
                        size_t count)
{
    for (const struct run *run = runs; run < runs + count; run++)
        for (size_t x = run->begin, i = run->y * width + x; x < run->end; x++, i++)
            if (block(mask + i, width) != FULL_BLOCK)
                add_to_border(b, mask, i);
}

/* The neighbors of a pixel that goes may go then. */
static void uncover(struct border *b, uint8_t *mask, size_t width, size_t at)
{
    for (size_t row = at - width; row <= at + width; row += width)
        for (size_t i = row - 1; i <= row + 1; i++)
            if (mask[i] == RESTING)
                add_to_border(b, mask, i);
            else if (mask[i] == STAYED)
                mask[i] = LISTED;
}

/* Brings the pixels that go to the front of the list: how many. */
static size_t choose(const struct border *b, const uint8_t *mask, size_t width, int half)
{
    size_t going = 0;
    for (size_t i = 0; i < b->count; i++) {
        uint32_t at = b->list[i];
        if (removable[half][block(mask + at, width)]) {
            b->list[i] = b->list[going];
            b->list[going++] = at;
        }
    }
    return going;
}

/* Drops those behind the first `going` that stayed twice. */
static void let_rest(struct border *b, uint8_t *mask, size_t going)
{
    size_t kept = going;
    for (size_t i = going; i < b->count; i++) {
        uint8_t *pixel = mask + b->list[i];
        *pixel = *pixel == LISTED ? STAYED : RESTING;
        if (*pixel == STAYED)
            b->list[kept++] = b->list[i];
    }
    b->count = kept;
}

static bool half_pass(struct border *b, uint8_t *mask, size_t width, int half)
{
    size_t going = choose(b, mask, width, half);
    let_rest(b, mask, going);
    for (size_t i = 0; i < going; i++)
        mask[b->list[i]] = BACKGROUND;
    for (size_t i = 0; i < going; i++)
        uncover(b, mask, width, b->list[i]);
    b->count -= going;
    memmove(b->list, b->list + going, b->count * sizeof *b->list);
    return going > 0;
}

static void thin_along_border(uint8_t *mask, size_t width, const struct run *runs, size_t count,
                              uint32_t *work)
{
    struct border border = {.list = work};
    pthread_once(&removable_once, fill_removable);
    find_border(&border, mask, width, runs, count);
    bool removed;
    do {
        removed = half_pass(&border, mask, width, 0);
        removed |= half_pass(&border, mask, width, 1);
    } while (removed);
}

/* ---- narrow shapes: a row is a word, all its pixels are decided at once ---- */

#define NARROW 64   /* columns, the margin included */
#define LOW    1024 /* rows */

/* Bit x is the neighbor of the pixel in column x. */
struct ring {
    uint64_t n, ne, e, se, s, sw, w, nw;
};

static inline struct ring ring_at(uint64_t above, uint64_t here, uint64_t below)
{
    return (struct ring){above, above >> 1, here >> 1, below >> 1,
                         below, below << 1, here << 1, above << 1};
}

/* Where at least two, and where all, of four are set. */
static inline uint64_t two_of(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return (a & b) | (c & d) | ((a | b) & (c | d));
}

static inline uint64_t all_of(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return a & b & c & d;
}

/* What goes() says, of 64 pixels. */
static inline uint64_t all_that_go(struct ring r)
{
    uint64_t p = ~r.n & (r.ne | r.e), q = ~r.e & (r.se | r.s);
    uint64_t u = ~r.s & (r.sw | r.w), v = ~r.w & (r.nw | r.n);
    uint64_t one_piece = (p ^ q ^ u ^ v) & ~(p & q) & ~(u & v);
    uint64_t a = r.n | r.ne, b = r.e | r.se, c = r.s | r.sw, d = r.w | r.nw;
    uint64_t e = r.ne | r.e, f = r.se | r.s, g = r.sw | r.w, h = r.nw | r.n;
    uint64_t least = two_of(a, b, c, d) & two_of(e, f, g, h);
    uint64_t most = ~(all_of(a, b, c, d) & all_of(e, f, g, h));
    return one_piece & least & most;
}

/* Reads `from`, writes `to`; both have empty first and last rows.  Whether any went. */
CLONES(static, bool, narrow_half_pass,
       (const uint64_t *restrict from, size_t height, bool second, uint64_t *restrict to),
       (from, height, second, to))
{
    uint64_t any = 0, turn = second ? UINT64_MAX : 0;
    for (size_t y = 1; y + 1 < height; y++) {
        struct ring r = ring_at(from[y - 1], from[y], from[y + 1]);
        uint64_t kept = ((r.n | r.ne | ~r.se) & r.e & ~turn) | ((r.s | r.sw | ~r.nw) & r.w & turn);
        uint64_t going = from[y] & all_that_go(r) & ~kept;
        to[y] = from[y] & ~going;
        any |= going;
    }
    return any != 0;
}

static void pack(const struct run *runs, size_t count, size_t height, uint64_t *rows)
{
    memset(rows, 0, height * sizeof *rows);
    for (const struct run *run = runs; run < runs + count; run++)
        rows[run->y] |= (UINT64_C(1) << run->end) - (UINT64_C(1) << run->begin);
}

static void unpack(const uint64_t *rows, size_t height, size_t width, uint8_t *mask)
{
    memset(mask, BACKGROUND, height * width);
    for (size_t y = 0; y < height; y++)
        for (uint64_t row = rows[y]; row; row &= row - 1)
            mask[y * width + (size_t)__builtin_ctzll(row)] = RESTING;
}

static void thin_narrow(uint8_t *mask, size_t height, size_t width, const struct run *runs,
                        size_t count)
{
    uint64_t rows[LOW], spare[LOW];
    pack(runs, count, height, rows);
    spare[0] = spare[height - 1] = 0;
    bool removed = true;
    while (removed) {
        removed = narrow_half_pass(rows, height, false, spare);
        removed |= narrow_half_pass(spare, height, true, rows);
    }
    unpack(rows, height, width, mask);
}

void skeleton_thin(uint8_t *mask, size_t height, size_t width, const struct run *runs, size_t count,
                   uint32_t *work)
{
    if (width <= NARROW && height <= LOW)
        thin_narrow(mask, height, width, runs, count);
    else
        thin_along_border(mask, width, runs, count, work);
}

/* ---- measures ---- */

/* Neighbors that a step leads to: a diagonal one only where no straight detour
 * of two steps does. */
static unsigned steps_from(unsigned ring)
{
    unsigned straight = ring & 0x55,
             beside = (straight << 1 | straight >> 1 | straight << 7) & 0xaa;
    return straight | (ring & 0xaa & ~beside);
}

static void count_pixel(uint8_t *pixel, size_t width, struct skeleton *s)
{
    unsigned steps = steps_from(around(pixel, width));
    int count = __builtin_popcount(steps);
    s->length += __builtin_popcount(steps & 0x55) / 2.0;
    s->length += __builtin_popcount(steps & 0xaa) * sqrt(2) / 2.0;
    s->ends += count == 1;
    *pixel = count == 1 ? 2 : count >= 3 ? 3 : 1;
}

/* Branch points that touch are one: counts those that no branch point precedes. */
static bool begins_group(const uint8_t *p, size_t width)
{
    return *p == 3 && p[-1] != 3 && *(p - width) != 3 && *(p - width - 1) != 3 &&
           *(p - width + 1) != 3;
}

void skeleton_measure(uint8_t *mask, size_t width, const struct run *runs, size_t count,
                      struct skeleton *skeleton)
{
    *skeleton = (struct skeleton){0};
    for (const struct run *run = runs; run < runs + count; run++)
        for (size_t x = run->begin; x < run->end; x++)
            if (mask[run->y * width + x])
                count_pixel(mask + run->y * width + x, width, skeleton);
    for (const struct run *run = runs; run < runs + count; run++)
        for (size_t x = run->begin; x < run->end; x++)
            skeleton->points += begins_group(mask + run->y * width + x, width);
}
