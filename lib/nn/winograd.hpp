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

// Floats of the vectors for so many inputs and outputs: half as many as there might be where they
// are not filled.
inline size_t lanes_for(size_t in, size_t out)
{
    size_t most = lanes_here();
    bool is_wasted = 8 * ceil_of(out, 16) * 16 > 9 * ceil_of(out, 8) * 8;
    return most == 16 && (in % 16 || is_wasted) ? 8 : most;
}

// What tiles are cut out of, with zeros around it.
struct field {
    size_t height, width, pad_h, pad_w;
};

// The convolution's image and its result, which tiles of step x step fill.
struct tile_grid {
    field image, result;
    size_t rows, columns;

    tile_grid(size_t h, size_t w, size_t ph, size_t pw)
        : image{h, w, ph, pw}, result{h + 2 * ph - 2, w + 2 * pw - 2, 0, 0},
          rows(ceil_of(result.height, step)), columns(ceil_of(result.width, step))
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

    // B' d of a column of an image
    struct of_image {
        static constexpr size_t n = side;

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
    };

    // Transforms a tile of n x n pixels that are all there, its rows `row` floats apart.
    template <class filter, class layout>
    static INLINE void tile_in(const layout &to, size_t place, const float *from, size_t row,
                               size_t channels)
    {
        constexpr size_t n = filter::n;
        for (size_t c = 0; c < channels; c += lanes) {
            vector d[n], half[side * n], whole[side];
            for (size_t x = 0; x < n; x++) {
                for (size_t y = 0; y < n; y++)
                    d[y] = load(from + y * row + x * channels + c);
                filter::spread(half + x, n, d, 1);
            }
            float *at = to.of(c);
            for (size_t y = 0; y < side; y++) {
                filter::spread(whole, 1, half + y * n, 1);
                for (size_t x = 0; x < side; x++)
                    store(at + (y * side + x) * place, whole[x]);
            }
        }
    }

    // The same at an edge, by a copy with zeros beyond it.
    template <class filter, class layout>
    static INLINE void edge_in(const layout &to, size_t place, const field &f, const float *pixels,
                               size_t channels, size_t top, size_t left, float *patch)
    {
        constexpr size_t n = filter::n;
        memset(patch, 0, n * n * channels * sizeof *patch);
        size_t x0 = left < f.pad_w ? f.pad_w - left : 0;
        size_t x1 = std::min(n, f.width + f.pad_w - left);
        for (size_t y = 0; y < n; y++)
            if (top + y >= f.pad_h && top + y < f.height + f.pad_h && x0 < x1)
                memcpy(patch + (y * n + x0) * channels,
                       pixels + ((top + y - f.pad_h) * f.width + left + x0 - f.pad_w) * channels,
                       (x1 - x0) * channels * sizeof *patch);
        tile_in<filter>(to, place, patch, n * channels, channels);
    }

    // Tile number i of the fields at x, one after the other.
    template <class filter, class layout>
    static INLINE void any_in(const layout &to, size_t place, const tile_grid &g, const field &f,
                              const float *x, size_t channels, size_t i, float *patch)
    {
        constexpr size_t n = filter::n;
        const float *pixels = x + i / (g.rows * g.columns) * f.height * f.width * channels;
        size_t top = i / g.columns % g.rows * step, left = i % g.columns * step;
        bool inside = top >= f.pad_h && top + n <= f.height + f.pad_h && left >= f.pad_w &&
                      left + n <= f.width + f.pad_w;
        if (inside)
            tile_in<filter>(to, place,
                            pixels + ((top - f.pad_h) * f.width + left - f.pad_w) * channels,
                            f.width * channels, channels);
        else
            edge_in<filter>(to, place, f, pixels, channels, top, left, patch);
    }
};

} // namespace nn
