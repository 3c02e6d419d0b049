// Convolutions of 3 x 3 and the packing of their weights.
#include "nn/winograd.hpp"

using namespace nn;

namespace
{

constexpr size_t depth_at_a_time = 256; // channels of a panel that stays in the nearest cache

template <size_t lanes> struct convolution : winograd<lanes> {
    using typename level<lanes>::vector;
    using level<lanes>::panel;
    using level<lanes>::padded;
    using level<lanes>::load;
    using level<lanes>::store;

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

    // ---- products ----

    template <size_t vectors>
    static INLINE void panel_product(float *to, size_t to_stride, const float *from,
                                     size_t from_stride, size_t rows, const float *weights,
                                     size_t depth, bool onto)
    {
        size_t blocks = ceil_of(rows, most_rows);
        for (size_t i = 0; i < blocks; i++) {
            size_t first = i * rows / blocks, n = (i + 1) * rows / blocks - first;
            float *c = to + first * to_stride;
            const float *a = from + first * from_stride;
            if (onto)
                convolution::template some_rows<vectors, true>(n, c, to_stride, a, from_stride, 1,
                                                               weights, depth);
            else
                convolution::template some_rows<vectors, false>(n, c, to_stride, a, from_stride, 1,
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
        tile_grid grid(c.height, c.width, c.pad_h, c.pad_w);
        size_t row = grid.result.width * c.out_channels;
        for (size_t i = first; i < first + tiles; i++, from += padded(c.out_channels)) {
            size_t image = i / (grid.rows * grid.columns);
            size_t top = i / grid.columns % grid.rows * step, left = i % grid.columns * step;
            size_t at = (image * grid.result.height + top) * row + left * c.out_channels;
            tile_out(c, at, row, std::min(step, grid.result.height - top),
                     std::min(step, grid.result.width - left), from, place);
        }
    }

    static INLINE void run(const struct kernel_conv &c, size_t first, size_t tiles, float *scratch)
    {
        size_t outs = padded(c.out_channels);
        size_t in_place = tiles * c.in + gap, out_place = tiles * outs + gap;
        float *patch = scratch, *in = patch + places * c.in, *out = in + places * in_place;
        tile_grid grid(c.height, c.width, c.pad_h, c.pad_w);
        for (size_t i = 0; i < tiles; i++)
            convolution::template any_in<typename winograd<lanes>::of_image>(
                in_row{in + i * c.in}, in_place, grid, grid.image, c.x, c.in, first + i, patch);
        for (size_t i = 0; i < places; i++)
            product(out + i * out_place, in + i * in_place, tiles, c.in, outs,
                    c.weights + i * (c.in * outs + gap));
        tiles_out(c, first, tiles, out, out_place);
    }
};

AT_LANES(pack, convolution, lanes_for(w.in, w.out),
         (float *to, const struct kernel_conv_weights &w, size_t first, size_t end),
         (to, w, first, end))
AT_LANES(run, convolution, lanes_for(c.in, c.out_channels),
         (const struct kernel_conv &c, size_t first, size_t tiles, float *scratch),
         (c, first, tiles, scratch))

size_t padded_for(size_t in, size_t out)
{
    size_t lanes = lanes_for(in, out);
    return ceil_of(out, lanes) * lanes;
}

} // namespace

bool kernel_conv3x3_suits(size_t in, size_t out)
{
    return in % lanes_for(in, out) == 0 && in >= 16 && out >= 1;
}

size_t kernel_conv3x3_weights(size_t in, size_t out)
{
    return places * (in * padded_for(in, out) + gap);
}

size_t kernel_conv3x3_parts(size_t in, size_t out)
{
    return ceil_of(out, lanes_for(in, out));
}

void kernel_conv3x3_pack(float *to, const struct kernel_conv_weights *w, size_t first, size_t end)
{
    pack(to, *w, first, end);
}

size_t kernel_conv3x3_tiles(const struct kernel_conv *c)
{
    tile_grid grid(c->height, c->width, c->pad_h, c->pad_w);
    return grid.rows * grid.columns;
}

size_t kernel_conv3x3_scratch(const struct kernel_conv *c, size_t tiles)
{
    return places * (c->in + tiles * (c->in + padded_for(c->in, c->out_channels)) + 2 * gap);
}

void kernel_conv3x3(const struct kernel_conv *c, size_t first, size_t tiles, float *scratch)
{
    run(*c, first, tiles, scratch);
}
