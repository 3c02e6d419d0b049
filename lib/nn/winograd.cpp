// Convolutions of 3 x 3 by Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin and Gray
// 2016): tiles of 6 x 6 pixels, which overlap by two, are transformed, multiplied by
// transformed weights at each of 36 places, a product of matrices of tiles and channels,
// and transformed back to 4 x 4 pixels.  A quarter of the multiplications.
#include "nn/kernels.h"

#include <algorithm>

#include "core/cpu.h"
#include "nn/blocks.hpp"

namespace
{

constexpr size_t side = 6, places = side * side, step = 4;
constexpr size_t depth_at_a_time = 256; // channels of a panel that stays in the nearest cache
constexpr size_t gap = 16; // floats between places: else they fall on each other in a cache

size_t ceil_of(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

struct tile_grid {
    size_t height, width, rows, columns; // of the result; in tiles

    explicit tile_grid(const struct kernel_conv &c)
        : height(c.height + 2 * c.pad_h - 2), width(c.width + 2 * c.pad_w - 2),
          rows(ceil_of(height, step)), columns(ceil_of(width, step))
    {
    }
};

template <size_t lanes> struct winograd : nn::level<lanes> {
    using typename nn::level<lanes>::vector;
    using nn::level<lanes>::panel;
    using nn::level<lanes>::padded;
    using nn::level<lanes>::load;
    using nn::level<lanes>::store;

    // ---- weights ----

    // G g of a column
    static INLINE void widen(vector *to, size_t to_step, const vector *g, size_t g_step)
    {
        vector even = g[0] + g[2 * g_step], odd = g[g_step];
        vector even2 = g[0] + 4.0f * g[2 * g_step], odd2 = 2.0f * odd;
        to[0] = 0.25f * g[0];
        to[to_step] = (even + odd) * (-1.0f / 6);
        to[2 * to_step] = (even - odd) * (-1.0f / 6);
        to[3 * to_step] = (even2 + odd2) * (1.0f / 24);
        to[4 * to_step] = (even2 - odd2) * (1.0f / 24);
        to[5 * to_step] = g[2 * g_step];
    }

    // Of one input channel and `lanes` outputs, `used` of them there.
    static INLINE void pack_channel(float *to, size_t place, const struct kernel_conv_weights &w,
                                    size_t c, size_t o, size_t used)
    {
        float gathered[9][lanes] = {};
        vector g[9], half[18], whole[places];
        for (size_t l = 0; l < used; l++)
            for (size_t i = 0; i < 9; i++)
                gathered[w.turned ? 8 - i : i][l] =
                    w.from[(o + l) * w.out_stride + c * w.in_stride + i];
        for (size_t i = 0; i < 9; i++)
            g[i] = load(gathered[i]);
        for (size_t x = 0; x < 3; x++)
            widen(half + x, 3, g + x, 3);
        for (size_t y = 0; y < side; y++)
            widen(whole + y * side, 1, half + y * 3, 1);
        for (size_t i = 0; i < places; i++)
            store(to + i * place, whole[i]);
    }

    static INLINE void pack(float *to, const struct kernel_conv_weights &w, size_t first,
                            size_t end)
    {
        size_t outs = padded(w.out), place = w.in * outs + gap;
        for (size_t o = first * lanes; o < std::min(end * lanes, outs); o += lanes) {
            size_t begin = o / panel * panel, width = std::min(panel, outs - begin);
            float *column = to + begin * w.in + (o - begin);
            for (size_t c = 0; c < w.in; c++)
                pack_channel(column + c * width, place, w, c, o, std::min(lanes, w.out - o));
        }
    }

    // ---- tiles in ----

    // B' d of a column
    static INLINE void spread(vector *to, size_t to_step, const vector *d, size_t d_step)
    {
        vector d0 = d[0], d1 = d[d_step], d2 = d[2 * d_step], d3 = d[3 * d_step];
        vector d4 = d[4 * d_step], d5 = d[5 * d_step];
        vector even = d4 - 4.0f * d2, odd = d3 - 4.0f * d1, even2 = d4 - d2, odd2 = d3 - d1;
        to[0] = 4.0f * d0 + (d4 - 5.0f * d2);
        to[to_step] = even + odd;
        to[2 * to_step] = even - odd;
        to[3 * to_step] = even2 + 2.0f * odd2;
        to[4 * to_step] = even2 - 2.0f * odd2;
        to[5 * to_step] = 4.0f * d1 + (d5 - 5.0f * d3);
    }

    // A tile whose pixels are all there, its rows `row` floats apart.
    static INLINE void tile_in(float *to, size_t place, const float *from, size_t row,
                               size_t channels)
    {
        for (size_t c = 0; c < channels; c += lanes) {
            vector d[side], half[places], whole[side];
            for (size_t x = 0; x < side; x++) {
                for (size_t y = 0; y < side; y++)
                    d[y] = load(from + y * row + x * channels + c);
                spread(half + x, side, d, 1);
            }
            for (size_t y = 0; y < side; y++) {
                spread(whole, 1, half + y * side, 1);
                for (size_t x = 0; x < side; x++)
                    store(to + (y * side + x) * place + c, whole[x]);
            }
        }
    }

    // The same at an edge, by a copy with zeros beyond it.
    static INLINE void edge_in(float *to, size_t place, const float *image,
                               const struct kernel_conv &c, size_t top, size_t left, float *patch)
    {
        memset(patch, 0, places * c.in * sizeof *patch);
        size_t x0 = left < c.pad_w ? c.pad_w - left : 0;
        size_t x1 = std::min(side, c.width + c.pad_w - left);
        for (size_t y = 0; y < side; y++)
            if (top + y >= c.pad_h && top + y < c.height + c.pad_h && x0 < x1)
                memcpy(patch + (y * side + x0) * c.in,
                       image + ((top + y - c.pad_h) * c.width + left + x0 - c.pad_w) * c.in,
                       (x1 - x0) * c.in * sizeof *patch);
        tile_in(to, place, patch, side * c.in, c.in);
    }

    static INLINE void tiles_in(float *to, size_t place, const struct kernel_conv &c, size_t first,
                                size_t tiles, float *patch)
    {
        tile_grid grid(c);
        for (size_t i = first; i < first + tiles; i++, to += c.in) {
            const float *image = c.x + i / (grid.rows * grid.columns) * c.height * c.width * c.in;
            size_t top = i / grid.columns % grid.rows * step, left = i % grid.columns * step;
            bool inside = top >= c.pad_h && top + side <= c.height + c.pad_h && left >= c.pad_w &&
                          left + side <= c.width + c.pad_w;
            if (inside)
                tile_in(to, place, image + ((top - c.pad_h) * c.width + left - c.pad_w) * c.in,
                        c.width * c.in, c.in);
            else
                edge_in(to, place, image, c, top, left, patch);
        }
    }

    // ---- products ----

    template <size_t vectors>
    static INLINE void panel_product(float *to, size_t to_stride, const float *from,
                                     size_t from_stride, size_t rows, const float *weights,
                                     size_t depth, bool onto)
    {
        size_t blocks = ceil_of(rows, nn::most_rows);
        for (size_t i = 0; i < blocks; i++) {
            size_t first = i * rows / blocks, n = (i + 1) * rows / blocks - first;
            float *c = to + first * to_stride;
            const float *a = from + first * from_stride;
            if (onto)
                winograd::template some_rows<vectors, true>(n, c, to_stride, a, from_stride,
                                                            weights, depth);
            else
                winograd::template some_rows<vectors, false>(n, c, to_stride, a, from_stride,
                                                             weights, depth);
        }
    }

    // to (rows x outs) = from (rows x in) times the weights of one place
    static INLINE void product(float *to, const float *from, size_t rows, size_t in, size_t outs,
                               const float *weights)
    {
        size_t parts = ceil_of(in, depth_at_a_time);
        for (size_t part = 0; part < parts; part++) {
            size_t c = part * in / parts, depth = (part + 1) * in / parts - c;
            for (size_t o = 0; o < outs; o += panel) {
                const float *w = weights + o * in;
                if (o + panel <= outs)
                    panel_product<2>(to + o, outs, from + c, in, rows, w + c * panel, depth, part);
                else
                    panel_product<1>(to + o, outs, from + c, in, rows, w + c * lanes, depth, part);
            }
        }
    }

    // ---- tiles out ----

    // A' m of a column
    static INLINE void gather(vector *to, size_t to_step, const vector *m, size_t m_step)
    {
        vector sum = m[m_step] + m[2 * m_step], difference = m[m_step] - m[2 * m_step];
        vector sum2 = m[3 * m_step] + m[4 * m_step], difference2 = m[3 * m_step] - m[4 * m_step];
        to[0] = m[0] + sum + sum2;
        to[to_step] = difference + 2.0f * difference2;
        to[2 * to_step] = sum + 4.0f * sum2;
        to[3 * to_step] = difference + 8.0f * difference2 + m[5 * m_step];
    }

    static INLINE void finish(float *to, const vector &given, const float *bias,
                              const float *residual, float floor, size_t used)
    {
        float whole[lanes];
        vector value = given;
        if (used == lanes) {
            value += bias ? load(bias) : vector{};
            value += residual ? load(residual) : vector{};
            store(to, value < floor ? vector{} + floor : value);
            return;
        }
        store(whole, value);
        for (size_t l = 0; l < used; l++) {
            float x = whole[l] + (bias ? bias[l] : 0) + (residual ? residual[l] : 0);
            to[l] = x < floor ? floor : x;
        }
    }

    // at: of the tile's first pixel in the result
    static INLINE void tile_out(const struct kernel_conv &c, size_t at, size_t row, size_t rows,
                                size_t columns, const float *from, size_t place)
    {
        float floor = c.relu ? 0 : -__builtin_inff();
        for (size_t o = 0; o < c.out_channels; o += lanes) {
            vector m[side], half[step * side], whole[step];
            for (size_t x = 0; x < side; x++) {
                for (size_t y = 0; y < side; y++)
                    m[y] = load(from + (y * side + x) * place + o);
                gather(half + x, side, m, 1);
            }
            size_t used = std::min(lanes, c.out_channels - o);
            for (size_t y = 0; y < rows; y++) {
                gather(whole, 1, half + y * side, 1);
                size_t pixel = at + y * row + o;
                for (size_t x = 0; x < columns; x++, pixel += c.out_channels)
                    finish(c.out + pixel, whole[x], c.bias ? c.bias + o : nullptr,
                           c.residual ? c.residual + pixel : nullptr, floor, used);
            }
        }
    }

    static INLINE void tiles_out(const struct kernel_conv &c, size_t first, size_t tiles,
                                 const float *from, size_t place)
    {
        tile_grid grid(c);
        size_t row = grid.width * c.out_channels;
        for (size_t i = first; i < first + tiles; i++, from += padded(c.out_channels)) {
            size_t image = i / (grid.rows * grid.columns);
            size_t top = i / grid.columns % grid.rows * step, left = i % grid.columns * step;
            size_t at = (image * grid.height + top) * row + left * c.out_channels;
            tile_out(c, at, row, std::min(step, grid.height - top),
                     std::min(step, grid.width - left), from, place);
        }
    }

    static INLINE void run(const struct kernel_conv &c, size_t first, size_t tiles, float *scratch)
    {
        size_t outs = padded(c.out_channels);
        size_t in_place = tiles * c.in + gap, out_place = tiles * outs + gap;
        float *patch = scratch, *in = patch + places * c.in, *out = in + places * in_place;
        tiles_in(in, in_place, c, first, tiles, patch);
        for (size_t i = 0; i < places; i++)
            product(out + i * out_place, in + i * in_place, tiles, c.in, outs,
                    c.weights + i * (c.in * outs + gap));
        tiles_out(c, first, tiles, out, out_place);
    }
};

#if defined(__x86_64__)
#define AVX512 __attribute__((target("arch=x86-64-v4")))
#define AVX2   __attribute__((target("arch=x86-64-v3")))

AVX512 void pack_avx512(float *to, const struct kernel_conv_weights &w, size_t first, size_t end)
{
    winograd<16>::pack(to, w, first, end);
}

AVX2 void pack_avx2(float *to, const struct kernel_conv_weights &w, size_t first, size_t end)
{
    winograd<8>::pack(to, w, first, end);
}

AVX512 void run_avx512(const struct kernel_conv &c, size_t first, size_t tiles, float *scratch)
{
    winograd<16>::run(c, first, tiles, scratch);
}

AVX2 void run_avx2(const struct kernel_conv &c, size_t first, size_t tiles, float *scratch)
{
    winograd<8>::run(c, first, tiles, scratch);
}
#endif

size_t lanes_here()
{
#if defined(__x86_64__)
    if (cpu_level() >= CPU_AVX2)
        return cpu_level() >= CPU_AVX512 ? 16 : 8;
#endif
    return 4;
}

size_t padded_here(size_t n)
{
    return ceil_of(n, lanes_here()) * lanes_here();
}

} // namespace

bool kernel_conv3x3_suits(size_t in, size_t out)
{
    return in % lanes_here() == 0 && in >= 16 && out >= 1;
}

size_t kernel_conv3x3_weights(size_t in, size_t out)
{
    return places * (in * padded_here(out) + gap);
}

size_t kernel_conv3x3_parts(size_t out)
{
    return ceil_of(out, lanes_here());
}

void kernel_conv3x3_pack(float *to, const struct kernel_conv_weights *w, size_t first, size_t end)
{
#if defined(__x86_64__)
    if (lanes_here() == 16)
        return pack_avx512(to, *w, first, end);
    if (lanes_here() == 8)
        return pack_avx2(to, *w, first, end);
#endif
    winograd<4>::pack(to, *w, first, end);
}

size_t kernel_conv3x3_tiles(const struct kernel_conv *c)
{
    tile_grid grid(*c);
    return grid.rows * grid.columns;
}

size_t kernel_conv3x3_scratch(const struct kernel_conv *c, size_t tiles)
{
    return places * (c->in + tiles * (c->in + padded_here(c->out_channels)) + 2 * gap);
}

void kernel_conv3x3(const struct kernel_conv *c, size_t first, size_t tiles, float *scratch)
{
#if defined(__x86_64__)
    if (lanes_here() == 16)
        return run_avx512(*c, first, tiles, scratch);
    if (lanes_here() == 8)
        return run_avx2(*c, first, tiles, scratch);
#endif
    winograd<4>::run(*c, first, tiles, scratch);
}
