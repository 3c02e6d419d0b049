// Layers that train on a CPU.  Products are oneDNN's on the tensors as they lie in
// memory, without a BLAS; weights are converted once for a forward and a backward pass.
#include "nn/training.hpp"

#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/conv3x3.hpp"
#include "nn/fused.hpp"
#include "nn/kernels.h"

#if NN_DNNL
#include <dnnl.hpp>
#endif

using namespace nn;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace
{

// ---- precision ----

struct no_autocast {
    c10::impl::ExcludeDispatchKeyGuard guard{c10::DispatchKey::AutocastCPU};
};

bool autocast_is_on()
{
#if NN_TORCH_AT_LEAST(2, 4)
    return at::autocast::is_autocast_enabled(at::kCPU);
#else
    return at::autocast::is_cpu_enabled();
#endif
}

// Of products with x.
at::ScalarType product_type(const at::Tensor &x)
{
    if (!autocast_is_on())
        return x.scalar_type();
#if NN_TORCH_AT_LEAST(2, 4)
    return at::autocast::get_autocast_dtype(at::kCPU);
#else
    return at::autocast::get_autocast_cpu_dtype();
#endif
}

bool is_float_on_cpu(const at::Tensor &x)
{
    return x.device().is_cpu() && x.numel() > 0 &&
           (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

// ---- products ----

#if NN_DNNL

dnnl::engine &engine()
{
    static dnnl::engine e(dnnl::engine::kind::cpu, 0);
    return e;
}

dnnl::memory memory_of(const at::Tensor &t)
{
    auto type = t.scalar_type() == at::kBFloat16 ? dnnl::memory::data_type::bf16
                                                 : dnnl::memory::data_type::f32;
    dnnl::memory::desc d(t.sizes().vec(), type, t.strides().vec());
    return dnnl::memory(d, engine(), t.data_ptr());
}

// Rows or columns without gaps between their elements.
at::Tensor plain_matrices(const at::Tensor &t)
{
    if (t.stride(-2) == 1 && t.stride(-1) >= t.size(-2))
        return t;
    return t.stride(-1) == 1 && t.stride(-2) >= t.size(-1) ? t : t.contiguous();
}

// a b (+ bias) of matrices or as many pairs of them, of one type.
at::Tensor multiply(const at::Tensor &left, const at::Tensor &right, at::ScalarType type,
                    const at::Tensor &bias = at::Tensor())
{
    at::Tensor a = plain_matrices(left), b = plain_matrices(right);
    std::vector<int64_t> shape = a.sizes().vec();
    shape.back() = b.size(-1);
    at::Tensor y = at::empty(shape, a.options().dtype(type).requires_grad(false));
    dnnl::memory ma = memory_of(a), mb = memory_of(b), my = memory_of(y), mc;
    std::unordered_map<int, dnnl::memory> arguments = {
        {DNNL_ARG_SRC, ma}, {DNNL_ARG_WEIGHTS, mb}, {DNNL_ARG_DST, my}};
    if (bias.defined()) {
        mc = memory_of(bias.view({1, -1}));
        arguments.insert({DNNL_ARG_BIAS, mc});
    }
    auto da = ma.get_desc(), db = mb.get_desc(), dy = my.get_desc();
#if DNNL_VERSION_MAJOR >= 3
    auto pd = bias.defined() ? dnnl::matmul::primitive_desc(engine(), da, db, mc.get_desc(), dy)
                             : dnnl::matmul::primitive_desc(engine(), da, db, dy);
#else
    dnnl::matmul::primitive_desc pd(bias.defined() ? dnnl::matmul::desc(da, db, mc.get_desc(), dy)
                                                   : dnnl::matmul::desc(da, db, dy),
                                    engine());
#endif
    static thread_local dnnl::stream stream(engine());
    dnnl::matmul(pd).execute(stream, arguments);
    stream.wait();
    return y;
}

#else

at::Tensor multiply(const at::Tensor &left, const at::Tensor &right, at::ScalarType type,
                    const at::Tensor &bias = at::Tensor())
{
    at::Tensor y = at::matmul(left, right).to(type);
    return bias.defined() ? y.add_(bias.to(type)) : y;
}

#endif

at::Tensor rows_of(const at::Tensor &x, at::ScalarType type)
{
    return x.reshape({-1, x.size(-1)}).to(type).contiguous();
}

struct linear_function : public torch::autograd::Function<linear_function> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x,
                              const at::Tensor &weight, const c10::optional<at::Tensor> &bias)
    {
        at::ScalarType type = product_type(x);
        no_autocast plain;
        at::Tensor rows = rows_of(x, type), w = weight.to(type).contiguous();
        context->save_for_backward({rows, w});
        context->saved_data["bias"] = bias.has_value();
        context->saved_data["shape"] = x.sizes().vec();
        context->saved_data["type"] = static_cast<int64_t>(x.scalar_type());
        std::vector<int64_t> shape = x.sizes().vec();
        shape.back() = weight.size(0);
        at::Tensor b = bias ? bias->to(at::kFloat).contiguous() : at::Tensor();
        return multiply(rows, w.t(), type, b).view(shape);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients)
    {
        no_autocast plain;
        variable_list saved = context->get_saved_variables();
        const at::Tensor &rows = saved[0], &w = saved[1];
        at::Tensor g = rows_of(gradients[0], rows.scalar_type());
        variable_list found(3);
        if (context->needs_input_grad(0)) {
            auto type = static_cast<at::ScalarType>(context->saved_data["type"].toInt());
            at::Tensor dx = multiply(g, w, rows.scalar_type());
            found[0] = dx.view(context->saved_data["shape"].toIntVector()).to(type);
        }
        if (context->needs_input_grad(1))
            found[1] = multiply(g.t(), rows, at::kFloat);
        if (context->saved_data["bias"].toBool() && context->needs_input_grad(2))
            found[2] = g.sum(0, false, at::kFloat);
        return found;
    }
};

// Batches as one dimension, each matrix whole.
at::Tensor stacked(const at::Tensor &t, at::ScalarType type)
{
    at::Tensor x = t.to(type);
    if (x.stride(-2) == 1 && x.stride(-1) != 1) {
        at::Tensor turned = x.transpose(-2, -1).contiguous();
        return turned.view({-1, turned.size(-2), turned.size(-1)}).transpose(-2, -1);
    }
    x = x.contiguous();
    return x.view({-1, x.size(-2), x.size(-1)});
}

struct product_function : public torch::autograd::Function<product_function> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &y)
    {
        at::ScalarType type = product_type(x);
        no_autocast plain;
        at::Tensor a = stacked(x, type), b = stacked(y, type);
        context->save_for_backward({a, b});
        context->saved_data["shapes"] =
            std::vector<std::vector<int64_t>>{x.sizes().vec(), y.sizes().vec()};
        context->saved_data["types"] = std::vector<int64_t>{static_cast<int64_t>(x.scalar_type()),
                                                            static_cast<int64_t>(y.scalar_type())};
        std::vector<int64_t> shape = x.sizes().vec();
        shape.back() = y.size(-1);
        return multiply(a, b, type).view(shape);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients)
    {
        no_autocast plain;
        variable_list saved = context->get_saved_variables();
        const at::Tensor &a = saved[0], &b = saved[1];
        at::ScalarType type = a.scalar_type();
        at::Tensor g = stacked(gradients[0].contiguous(), type);
        auto shapes = context->saved_data["shapes"].to<std::vector<std::vector<int64_t>>>();
        auto types = context->saved_data["types"].toIntVector();
        variable_list found(2);
        if (context->needs_input_grad(0))
            found[0] = multiply(g, b.transpose(1, 2), type).view(shapes[0]);
        if (context->needs_input_grad(1))
            found[1] = multiply(a.transpose(1, 2), g, type).view(shapes[1]);
        for (size_t i = 0; i < 2; i++)
            if (found[i].defined())
                found[i] = found[i].to(static_cast<at::ScalarType>(types[i]));
        return found;
    }
};

bool same_batches(const at::Tensor &x, const at::Tensor &y)
{
    return x.dim() >= 2 && x.dim() == y.dim() &&
           (autocast_is_on() || x.scalar_type() == y.scalar_type()) &&
           x.sizes().slice(0, static_cast<size_t>(x.dim() - 2)) ==
               y.sizes().slice(0, static_cast<size_t>(y.dim() - 2));
}

// ---- convolution ----

struct conv3x3_function : public torch::autograd::Function<conv3x3_function> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x,
                              const at::Tensor &weight, const c10::optional<at::Tensor> &bias,
                              int64_t pad_h, int64_t pad_w)
    {
        context->save_for_backward({x, weight});
        context->saved_data["bias"] = bias.has_value();
        context->saved_data["pad"] = std::vector<int64_t>{pad_h, pad_w};
        return run_conv3x3(x, pack_conv3x3(weight, false), weight.size(0), pad_h, pad_w,
                           bias ? bias->contiguous() : at::Tensor(), false, at::Tensor());
    }

    static variable_list backward(AutogradContext *context, variable_list gradients)
    {
        variable_list saved = context->get_saved_variables(), found(5);
        const at::Tensor &x = saved[0], &weight = saved[1];
        auto pad = context->saved_data["pad"].toIntVector();
        at::Tensor g = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        if (context->needs_input_grad(0))
            found[0] = run_conv3x3(g, pack_conv3x3(weight, true), weight.size(1), 2 - pad[0],
                                   2 - pad[1], at::Tensor(), false, at::Tensor());
        if (context->needs_input_grad(1))
            found[1] = gradient3x3(x, g, pad[0], pad[1]);
        if (context->saved_data["bias"].toBool() && context->needs_input_grad(2))
            found[2] = g.sum({0, 2, 3});
        return found;
    }
};

// ---- dropout ----

constexpr int64_t dropout_block = 4096;

// Steele, Lea and Flood's splitmix64.
uint64_t mixed(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t draw_seed()
{
    auto generator = at::detail::getDefaultCPUGenerator();
    std::lock_guard<std::mutex> guard(generator.mutex());
    return at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
}

at::Tensor dropped(const at::Tensor &input, double p, uint64_t seed)
{
    at::Tensor x = input;
    if (!x.is_non_overlapping_and_dense())
        x = x.contiguous();
    at::Tensor y = at::empty_like(x);
    auto threshold = static_cast<uint32_t>(std::min(p * 0x1p32, 0x1p32 - 1));
    float scale = static_cast<float>(1 / (1 - p));
    int64_t n = x.numel(), blocks = (n + dropout_block - 1) / dropout_block;
    bool halves = x.scalar_type() == at::kBFloat16;
    at::parallel_for(0, blocks, 8, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            auto key = static_cast<uint32_t>(mixed(seed + static_cast<uint64_t>(i)) >> 32);
            int64_t at = i * dropout_block;
            size_t count = static_cast<size_t>(std::min(dropout_block, n - at));
            if (halves)
                kernel_drop_bf16(static_cast<uint16_t *>(y.data_ptr()) + at,
                                 static_cast<const uint16_t *>(x.data_ptr()) + at, count, key,
                                 threshold, scale);
            else
                kernel_drop(static_cast<float *>(y.data_ptr()) + at,
                            static_cast<const float *>(x.data_ptr()) + at, count, key, threshold,
                            scale);
        }
    });
    return y;
}

struct dropout_function : public torch::autograd::Function<dropout_function> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, double p)
    {
        no_autocast plain;
        uint64_t seed = draw_seed();
        context->saved_data["seed"] = static_cast<int64_t>(seed);
        context->saved_data["p"] = p;
        context->saved_data["strides"] = x.strides().vec();
        return dropped(x, p, seed);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients)
    {
        no_autocast plain;
        auto seed = static_cast<uint64_t>(context->saved_data["seed"].toInt());
        auto strides = context->saved_data["strides"].toIntVector();
        at::Tensor g = gradients[0];
        if (g.strides() != at::IntArrayRef(strides)) // the mask follows the order in memory
            g = at::empty_strided(g.sizes(), strides, g.options()).copy_(g);
        return {dropped(g, context->saved_data["p"].toDouble(), seed), at::Tensor()};
    }
};

// ---- upsampling ----

struct upsample_function : public torch::autograd::Function<upsample_function> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, int64_t height,
                              int64_t width, bool align_corners)
    {
        no_autocast plain;
        context->saved_data["shape"] = x.sizes().vec();
        context->saved_data["align"] = align_corners;
        context->saved_data["type"] = static_cast<int64_t>(x.scalar_type());
        return upsample_bilinear(x, height, width, align_corners);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients)
    {
        no_autocast plain;
        auto shape = context->saved_data["shape"].toIntVector();
        auto type = static_cast<at::ScalarType>(context->saved_data["type"].toInt());
        at::Tensor g = gradients[0].to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
        at::Tensor found = at::upsample_bilinear2d_backward(g, {g.size(2), g.size(3)}, shape,
                                                            context->saved_data["align"].toBool());
        return {found.to(type), at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

} // namespace

at::Tensor nn::train_linear(const at::Tensor &x, const at::Tensor &weight,
                            const c10::optional<at::Tensor> &bias)
{
    if (!is_float_on_cpu(x) || product_type(x) == at::kHalf || is_counting())
        return at::linear(x, weight, bias);
    return linear_function::apply(x, weight, bias);
}

bool nn::may_train_conv3x3(const at::Tensor &x, const at::Tensor &weight, const struct nn_conv &how)
{
    return is_float_on_cpu(x) && product_type(x) == at::kFloat && x.dim() == 4 &&
           weight.scalar_type() == at::kFloat && weight.dim() == 4 && weight.size(1) == x.size(1) &&
           x.size(2) + 2 * how.pad_h >= 3 && x.size(3) + 2 * how.pad_w >= 3 &&
           suits_gradient3x3(weight, how) && !is_counting();
}

at::Tensor nn::train_conv3x3(const at::Tensor &x, const at::Tensor &weight,
                             const c10::optional<at::Tensor> &bias, const struct nn_conv &how)
{
    return conv3x3_function::apply(x, weight, bias, how.pad_h, how.pad_w);
}

at::Tensor nn::train_product(const at::Tensor &x, const at::Tensor &y)
{
    if (!is_float_on_cpu(x) || !is_float_on_cpu(y) || !same_batches(x, y) ||
        product_type(x) == at::kHalf || is_counting())
        return at::matmul(x, y);
    return product_function::apply(x, y);
}

at::Tensor nn::train_dropout(const at::Tensor &x, double p)
{
    if (!is_float_on_cpu(x) || p >= 1 || !x.is_non_overlapping_and_dense())
        return at::dropout(x, p, true);
    return dropout_function::apply(x, p);
}

at::Tensor nn::train_upsample(const at::Tensor &x, int64_t height, int64_t width,
                              bool align_corners)
{
    return upsample_function::apply(x, height, width, align_corners);
}
