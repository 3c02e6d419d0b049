#include "nn/conv3x3.hpp"

#include <algorithm>

#include <ATen/Parallel.h>

#include "core/cpu.h"
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

// oneDNN has such kernels of its own where there is AVX-512.
bool library_is_slow()
{
#if NN_DNNL
    return cpu_level() < CPU_AVX512;
#else
    return true;
#endif
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

} // namespace

bool nn::suits_conv3x3(const at::Tensor &weight, const struct nn_conv &how)
{
    return library_is_slow() && weight.device().is_cpu() && weight.dim() == 4 &&
           weight.size(2) == 3 && weight.size(3) == 3 && is_one(how.stride_h) &&
           is_one(how.stride_w) && is_one(how.dilation_h) && is_one(how.dilation_w) &&
           is_one(how.groups) && how.pad_h >= 0 && how.pad_w >= 0 &&
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
    auto parts = static_cast<int64_t>(kernel_conv3x3_parts(from.out));
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
