// The gradient of a 3 x 3 convolution by its weights: that of its computation by minimal
// filtering.  Tiles of x and, spread to 6 x 6, of the gradient by the result are multiplied
// at each place, summed over tiles, and what comes out is transformed to 3 x 3.
#include "nn/winograd.hpp"

using namespace nn;

namespace
{

constexpr size_t channels_together = 48; // of x: a multiple of all lanes and of most_rows

template <size_t lanes> struct gradient : winograd<lanes> {
    using typename level<lanes>::vector;
    using level<lanes>::panel;
    using level<lanes>::load;
    using level<lanes>::store;

    // ---- tiles ----

    // A d of a column of the gradient by the result
    struct of_result {
        static constexpr size_t n = step;

        static INLINE void spread(vector *to, size_t to_step, const vector *d, size_t d_step)
        {
            vector d0 = d[0], d1 = d[d_step], d2 = d[2 * d_step], d3 = d[3 * d_step];
            vector even = d0 + d2, odd = d1 + d3;
            vector even2 = d0 + 4.0f * d2, odd2 = 2.0f * d1 + 8.0f * d3;
            to[0] = d0;
            to[to_step] = even + odd;
            to[2 * to_step] = even - odd;
            to[3 * to_step] = even2 + odd2;
            to[4 * to_step] = even2 - odd2;
            to[5 * to_step] = d3;
        }
    };

    static INLINE void tiles_in(const struct kernel_gradient &k, size_t begin, size_t first,
                                size_t end, float *patch)
    {
        tile_grid g(k.height, k.width, k.pad_h, k.pad_w);
        size_t in_place = k.tiles * k.in + gap, out_place = k.tiles * k.out + gap;
        for (size_t i = first; i < end; i++) {
            gradient::template any_in<typename winograd<lanes>::of_image>(
                in_panels{k.inputs, i, k.tiles, k.in, channels_together}, in_place, g, g.image, k.x,
                k.in, begin + i, patch);
            gradient::template any_in<of_result>(in_panels{k.outputs, i, k.tiles, k.out, panel},
                                                 out_place, g, g.result, k.gradient, k.out,
                                                 begin + i, patch);
        }
    }

    // ---- products ----

    // c (rows x columns, `columns` being of one panel) = or += a' b, of `depth` tiles
    template <size_t vectors>
    static INLINE void panel_product(float *c, size_t stride, const float *a, size_t rows,
                                     const float *b, size_t depth, bool onto)
    {
        size_t blocks = ceil_of(rows, most_rows);
        for (size_t i = 0; i < blocks; i++) {
            size_t first = i * rows / blocks, n = (i + 1) * rows / blocks - first;
            float *to = c + first * stride;
            if (onto)
                gradient::template some_rows<vectors, true>(n, to, stride, a + first, 1, rows, b,
                                                            depth);
            else
                gradient::template some_rows<vectors, false>(n, to, stride, a + first, 1, rows, b,
                                                             depth);
        }
    }

    static INLINE void product(const struct kernel_gradient &k, size_t place, size_t tiles,
                               bool onto)
    {
        const float *inputs = k.inputs + place * (k.tiles * k.in + gap);
        const float *outputs = k.outputs + place * (k.tiles * k.out + gap);
        float *to = k.products + place * (k.in * k.out + gap);
        for (size_t c = 0; c < k.in; c += channels_together) {
            size_t rows = std::min(channels_together, k.in - c);
            for (size_t o = 0; o < k.out; o += panel) {
                float *block = to + c * k.out + o;
                const float *a = inputs + c * k.tiles, *b = outputs + o * k.tiles;
                if (o + panel <= k.out)
                    panel_product<2>(block, k.out, a, rows, b, tiles, onto);
                else
                    panel_product<1>(block, k.out, a, rows, b, tiles, onto);
            }
        }
    }

    // ---- weights ----

    // G' u of a column
    static INLINE void narrow(vector *to, size_t to_step, const vector *u, size_t u_step)
    {
        vector sum = u[u_step] + u[2 * u_step], difference = u[2 * u_step] - u[u_step];
        vector sum2 = u[3 * u_step] + u[4 * u_step], difference2 = u[3 * u_step] - u[4 * u_step];
        to[0] = 0.25f * u[0] - (1.0f / 6) * sum + (1.0f / 24) * sum2;
        to[to_step] = (1.0f / 6) * difference + (1.0f / 12) * difference2;
        to[2 * to_step] = (1.0f / 6) * (sum2 - sum) + u[5 * u_step];
    }

    // Parts of `lanes` outputs each.
    static INLINE void finish(const struct kernel_gradient &k, float *weights, size_t first,
                              size_t end)
    {
        size_t place = k.in * k.out + gap;
        for (size_t o = first * lanes; o < std::min(end * lanes, k.out); o += lanes)
            for (size_t c = 0; c < k.in; c++) {
                vector u[places], half[3 * side], whole[9];
                float scattered[9][lanes];
                for (size_t i = 0; i < places; i++)
                    u[i] = load(k.products + i * place + c * k.out + o);
                for (size_t x = 0; x < side; x++)
                    narrow(half + x, side, u + x, side);
                for (size_t y = 0; y < 3; y++)
                    narrow(whole + y * 3, 1, half + y * side, 1);
                for (size_t i = 0; i < 9; i++)
                    store(scattered[i], whole[i]);
                for (size_t l = 0; l < lanes; l++)
                    for (size_t i = 0; i < 9; i++)
                        weights[((o + l) * k.in + c) * 9 + i] = scattered[i][l];
            }
    }
};

// Vectors of inputs and of outputs are both filled.
size_t gradient_lanes(size_t in, size_t out)
{
    return std::min(lanes_for(in, out), lanes_for(out, in));
}

AT_LANES(tiles_in, gradient, gradient_lanes(k.in, k.out),
         (const struct kernel_gradient &k, size_t begin, size_t first, size_t end, float *patch),
         (k, begin, first, end, patch))
AT_LANES(product, gradient, gradient_lanes(k.in, k.out),
         (const struct kernel_gradient &k, size_t place, size_t tiles, bool onto),
         (k, place, tiles, onto))
AT_LANES(finish, gradient, gradient_lanes(k.in, k.out),
         (const struct kernel_gradient &k, float *weights, size_t first, size_t end),
         (k, weights, first, end))

} // namespace

bool kernel_gradient_suits(size_t in, size_t out)
{
    return in % gradient_lanes(in, out) == 0 && out % gradient_lanes(in, out) == 0;
}

size_t kernel_gradient_parts(size_t in, size_t out)
{
    return ceil_of(out, gradient_lanes(in, out));
}

size_t kernel_gradient_room(size_t tiles, size_t channels)
{
    return places * (tiles * channels + gap);
}

void kernel_gradient_tiles(const struct kernel_gradient *k, size_t begin, size_t first, size_t end,
                           float *scratch)
{
    tiles_in(*k, begin, first, end, scratch);
}

void kernel_gradient_product(const struct kernel_gradient *k, size_t place, size_t tiles, bool onto)
{
    product(*k, place, tiles, onto);
}

void kernel_gradient_finish(const struct kernel_gradient *k, float *weights, size_t first,
                            size_t end)
{
    finish(*k, weights, first, end);
}
