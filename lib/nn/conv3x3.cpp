#include "nn/conv3x3.hpp"

#include <algorithm>

#include <ATen/Parallel.h>

#include "nn/fused.hpp"
#include "nn/kernels.h"

using namespace nn;

namespace
{

const float *floats(const at::Tensor &t)
{
    return t.defined() ? static_cast<const float *>(t.data_ptr()) : nullptr;
}

bool is_one(int value)
{
    return value == 0 || value == 1;
}

// Tiles at a time: so many that what is between two steps fits a cache beside the
// weights, but each weight is used for some.
int64_t tiles_at_a_time(int64_t in, int64_t out, int64_t tiles)
{
    constexpr int64_t cache = 700000, least = 24, most = 48;
    int64_t wanted = std::clamp(cache / (4 * 36 * (in + out)), least, most);
    if (in * out > 128 * 1024)
        wanted = most;
    int64_t threads = at::get_num_threads(), parts = (tiles + wanted - 1) / wanted;
    parts = (parts + threads - 1) / threads * threads;
    return (tiles + parts - 1) / parts;
}

float *room_of(at::Tensor &room, size_t floats)
{
    room = at::empty({static_cast<int64_t>(floats)}, at::kFloat);
    return static_cast<float *>(room.data_ptr());
}

// Tiles at a time for a gradient: what they hold fits the last cache.
int64_t gradient_tiles(int64_t in, int64_t out, int64_t tiles)
{
    constexpr int64_t cache = 4000000, least = 48; // floats
    int64_t most = std::max(cache / (36 * (in + out)), least), parts = (tiles + most - 1) / most;
    return (tiles + parts - 1) / parts;
}

// Sums what all tiles have at each place, into k.products.
void sum_tiles(const struct kernel_gradient &k, int64_t tiles)
{
    auto some = static_cast<int64_t>(k.tiles);
    auto room = static_cast<int64_t>(36 * std::max(k.in, k.out));
    for (int64_t begin = 0; begin < tiles; begin += some) {
        int64_t here = std::min(some, tiles - begin);
        at::parallel_for(0, here, 4, [&](int64_t first, int64_t end) {
            kernel_gradient_tiles(&k, static_cast<size_t>(begin), static_cast<size_t>(first),
                                  static_cast<size_t>(end), thread_room(room));
        });
        at::parallel_for(0, KERNEL_GRADIENT_PLACES, 1, [&](int64_t first, int64_t end) {
            for (int64_t place = first; place < end; place++)
                kernel_gradient_product(&k, static_cast<size_t>(place), static_cast<size_t>(here),
                                        begin > 0);
        });
    }
}

} // namespace

bool nn::suits_conv3x3(const at::Tensor &weight, const struct nn_conv &how)
{
    return weight.device().is_cpu() && weight.dim() == 4 && weight.size(2) == 3 &&
           weight.size(3) == 3 && is_one(how.stride_h) && is_one(how.stride_w) &&
           is_one(how.dilation_h) && is_one(how.dilation_w) && is_one(how.groups) &&
           how.pad_h >= 0 && how.pad_w >= 0 &&
           kernel_conv3x3_suits(static_cast<size_t>(weight.size(1)),
                                static_cast<size_t>(weight.size(0)));
}

at::Tensor nn::pack_conv3x3(const at::Tensor &weight, bool turned)
{
    at::Tensor w = weight.detach().to(at::kFloat).contiguous();
    auto outs = static_cast<size_t>(w.size(0)), ins = static_cast<size_t>(w.size(1));
    struct kernel_conv_weights from = {floats(w), ins, outs, 9, 9 * ins, turned};
    if (turned)
        from = {floats(w), outs, ins, 9 * ins, 9, turned};
    auto size = static_cast<int64_t>(kernel_conv3x3_weights(from.in, from.out));
    at::Tensor packed = at::empty({size}, w.options());
    auto parts = static_cast<int64_t>(kernel_conv3x3_parts(from.in, from.out));
    at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
        kernel_conv3x3_pack(static_cast<float *>(packed.data_ptr()), &from,
                            static_cast<size_t>(begin), static_cast<size_t>(end));
    });
    return packed;
}

at::Tensor nn::run_conv3x3(const at::Tensor &input, const at::Tensor &packed, int64_t outs,
                           int64_t pad_h, int64_t pad_w, const at::Tensor &bias, bool relu,
                           const at::Tensor &residual)
{
    at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    int64_t height = x.size(2) + 2 * pad_h - 2, width = x.size(3) + 2 * pad_w - 2;
    if (height < 1 || width < 1)
        throw std::runtime_error("an image smaller than the convolution's kernel");
    at::Tensor y = at::empty({x.size(0), outs, height, width},
                             x.options().memory_format(at::MemoryFormat::ChannelsLast));
    if (residual.defined() && residual.sizes() != y.sizes())
        throw std::runtime_error("a sum of different shapes");
    struct kernel_conv c = {};
    c.out = static_cast<float *>(y.data_ptr());
    c.x = floats(x), c.weights = floats(packed), c.bias = floats(bias);
    c.residual = floats(residual), c.relu = relu;
    c.height = static_cast<size_t>(x.size(2)), c.width = static_cast<size_t>(x.size(3));
    c.in = static_cast<size_t>(x.size(1)), c.out_channels = static_cast<size_t>(outs);
    c.pad_h = static_cast<size_t>(pad_h), c.pad_w = static_cast<size_t>(pad_w);
    int64_t tiles = x.size(0) * static_cast<int64_t>(kernel_conv3x3_tiles(&c));
    int64_t some = tiles_at_a_time(x.size(1), outs, tiles);
    auto room = static_cast<int64_t>(kernel_conv3x3_scratch(&c, static_cast<size_t>(some)));
    at::parallel_for(0, (tiles + some - 1) / some, 1, [&](int64_t begin, int64_t end) {
        float *scratch = thread_room(room);
        for (int64_t first = begin * some; first < std::min(end * some, tiles); first += some)
            kernel_conv3x3(&c, static_cast<size_t>(first),
                           static_cast<size_t>(std::min(some, tiles - first)), scratch);
    });
    return y;
}

bool nn::suits_gradient3x3(const at::Tensor &weight, const struct nn_conv &how)
{
    auto in = static_cast<size_t>(weight.size(1)), out = static_cast<size_t>(weight.size(0));
    return suits_conv3x3(weight, how) && how.pad_h <= 2 && how.pad_w <= 2 &&
           kernel_conv3x3_suits(out, in) && kernel_gradient_suits(in, out);
}

at::Tensor nn::gradient3x3(const at::Tensor &input, const at::Tensor &by_result, int64_t pad_h,
                           int64_t pad_w)
{
    at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast), inputs, outputs, products;
    at::Tensor g = by_result.contiguous(at::MemoryFormat::ChannelsLast);
    int64_t in = x.size(1), out = g.size(1);
    struct kernel_gradient k = {};
    k.x = floats(x), k.gradient = floats(g);
    k.height = static_cast<size_t>(x.size(2)), k.width = static_cast<size_t>(x.size(3));
    k.in = static_cast<size_t>(in), k.out = static_cast<size_t>(out);
    k.pad_h = static_cast<size_t>(pad_h), k.pad_w = static_cast<size_t>(pad_w);
    int64_t tiles = x.size(0) * ((g.size(2) + 3) / 4) * ((g.size(3) + 3) / 4);
    k.tiles = static_cast<size_t>(gradient_tiles(in, out, tiles));
    k.inputs = room_of(inputs, kernel_gradient_room(k.tiles, k.in));
    k.outputs = room_of(outputs, kernel_gradient_room(k.tiles, k.out));
    k.products = room_of(products, kernel_gradient_room(k.in, k.out));
    sum_tiles(k, tiles);
    at::Tensor weights = at::empty({out, in, 3, 3}, x.options());
    auto parts = static_cast<int64_t>(kernel_gradient_parts(k.in, k.out));
    at::parallel_for(0, parts, 1, [&](int64_t first, int64_t end) {
        kernel_gradient_finish(&k, static_cast<float *>(weights.data_ptr()),
                               static_cast<size_t>(first), static_cast<size_t>(end));
    });
    return weights;
}
