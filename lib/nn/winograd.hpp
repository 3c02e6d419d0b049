// Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin and Gray 2016) for convolutions of
// 3 x 3: tiles of 6 x 6 pixels, which overlap by two, are transformed, multiplied by
// transformed weights at each of 36 places, a product of matrices of tiles and channels,
// and transformed back to 4 x 4 pixels.  A quarter of the multiplications.
#pragma once

#include "nn/kernels.h"

#include <algorithm>

#include "nn/blocks.hpp"

namespace nn
{

constexpr size_t side = 6, places = side * side, step = 4;
constexpr size_t gap = 16; // floats between places: else they fall on each other in a cache

// Images of `channels` floats a pixel; tiles of the convolution's result.
struct tile_grid {
    size_t in_height, in_width, pad_h, pad_w;
    size_t height, width, rows, columns; // of the result; in tiles

    tile_grid(size_t h, size_t w, size_t ph, size_t pw)
        : in_height(h), in_width(w), pad_h(ph), pad_w(pw), height(h + 2 * ph - 2),
          width(w + 2 * pw - 2), rows(ceil_of(height, step)), columns(ceil_of(width, step))
    {
    }
};

// Where a transformed tile's channels lie: one after the other, ...
struct in_row {
    float *to;

    INLINE float *of(size_t channel) const
    {
        return to + channel;
    }
};

// ... or by panels, each of `wide` channels of all tiles.
struct in_panels {
    float *to;
    size_t tile, tiles, channels, wide;

    INLINE float *of(size_t channel) const
    {
        size_t begin = channel / wide * wide, width = std::min(wide, channels - begin);
        return to + begin * tiles + tile * width + (channel - begin);
    }
};

template <size_t lanes> struct winograd : level<lanes> {
    using typename level<lanes>::vector;
    using level<lanes>::load;
    using level<lanes>::store;

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

    // Transforms a tile whose pixels are all there, its rows `row` floats apart.
    template <class layout>
    static INLINE void tile_in(const layout &to, size_t place, const float *from, size_t row,
                               size_t channels)
    {
        for (size_t c = 0; c < channels; c += lanes) {
            vector d[side], half[places], whole[side];
            for (size_t x = 0; x < side; x++) {
                for (size_t y = 0; y < side; y++)
                    d[y] = load(from + y * row + x * channels + c);
                spread(half + x, side, d, 1);
            }
            float *at = to.of(c);
            for (size_t y = 0; y < side; y++) {
                spread(whole, 1, half + y * side, 1);
                for (size_t x = 0; x < side; x++)
                    store(at + (y * side + x) * place, whole[x]);
            }
        }
    }

    // The same at an edge, by a copy with zeros beyond it.
    template <class layout>
    static INLINE void edge_in(const layout &to, size_t place, const tile_grid &g,
                               const float *image, size_t channels, size_t top, size_t left,
                               float *patch)
    {
        memset(patch, 0, places * channels * sizeof *patch);
        size_t x0 = left < g.pad_w ? g.pad_w - left : 0;
        size_t x1 = std::min(side, g.in_width + g.pad_w - left);
        for (size_t y = 0; y < side; y++)
            if (top + y >= g.pad_h && top + y < g.in_height + g.pad_h && x0 < x1)
                memcpy(patch + (y * side + x0) * channels,
                       image + ((top + y - g.pad_h) * g.in_width + left + x0 - g.pad_w) * channels,
                       (x1 - x0) * channels * sizeof *patch);
        tile_in(to, place, patch, side * channels, channels);
    }

    // Tile number i of images x.
    template <class layout>
    static INLINE void any_in(const layout &to, size_t place, const tile_grid &g, const float *x,
                              size_t channels, size_t i, float *patch)
    {
        const float *image = x + i / (g.rows * g.columns) * g.in_height * g.in_width * channels;
        size_t top = i / g.columns % g.rows * step, left = i % g.columns * step;
        bool inside = top >= g.pad_h && top + side <= g.in_height + g.pad_h && left >= g.pad_w &&
                      left + side <= g.in_width + g.pad_w;
        if (inside)
            tile_in(to, place, image + ((top - g.pad_h) * g.in_width + left - g.pad_w) * channels,
                    g.in_width * channels, channels);
        else
            edge_in(to, place, g, image, channels, top, left, patch);
    }
};

} // namespace nn
