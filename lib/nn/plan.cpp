// Convolutions and linear layers prepared for inference.  With oneDNN (NN_DNNL) the
// weights are packed as its kernels like them and activations and sums are part of
// the primitive; otherwise, and on a GPU, libtorch's own operations are called with
// weights already converted.  Convolutions of 3 x 3 in float32 are ours.
#include "nn/plan.h"

#include "nn/conv3x3.hpp"
#include "nn/internal.hpp"

#include <memory>
#include <unordered_map>

#include <c10/core/GradMode.h>

#if NN_DNNL
#include <dnnl.hpp>
#endif

using namespace nn;

namespace
{

using dims = std::vector<int64_t>;

#if NN_DNNL

dnnl::engine &engine()
{
    static dnnl::engine e(dnnl::engine::kind::cpu, 0);
    return e;
}

dnnl::memory::data_type dnnl_type(at::ScalarType type)
{
    return type == at::kBFloat16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

// What one shape of input and one set of fused steps needs.
struct primitive {
    dims key;
    dnnl::primitive call;
    dnnl::memory::desc src, dst, weights;    // as the primitive wants them
    dnnl::memory::desc given_src, given_dst; // as tensors have them
    dnnl::memory::desc scratch;
    dims result; // shape of the output
};

#endif

} // namespace

struct nn_plan {
    bool linear;
    at::ScalarType type;
    at::Tensor weight, bias; // in float32; weight is dropped once a plain layout is packed
    dims weight_sizes;
    int64_t stride[2] = {1, 1}, pad[2] = {0, 0}, dilation[2] = {1, 1}, groups = 1;
    at::Tensor packed3x3; // of our own kernels
#if NN_DNNL
    std::vector<dnnl::memory> packed;  // in the layouts asked for so far
    std::vector<primitive> primitives; // the latest last
#endif
};

namespace
{

bool runs_on_dnnl(const nn_plan &p)
{
#if NN_DNNL
    return !p.packed.empty();
#else
    (void)p;
    return false;
#endif
}

// ---- libtorch's own operations ----

at::Tensor activated(at::Tensor y, enum nn_activation activation)
{
    if (activation == NN_RELU)
        return y.relu_();
    return activation == NN_GELU ? at::gelu(y) : y;
}

at::Tensor run_on_torch(const nn_plan &p, const at::Tensor &x, enum nn_activation activation,
                        const at::Tensor &residual)
{
    c10::optional<at::Tensor> bias;
    if (p.bias.defined())
        bias = p.bias.to(p.type);
    if (p.linear) {
        at::Tensor y = activated(at::linear(x, p.weight, bias), activation);
        return residual.defined() ? y.add_(residual) : y;
    }
    at::Tensor y = at::conv2d(x, p.weight, bias, p.stride, p.pad, p.dilation, p.groups);
    if (residual.defined())
        y.add_(residual);
    return activated(y, activation);
}

// ---- our own ----

at::Tensor run_on_own(const nn_plan &p, const at::Tensor &x, enum nn_activation activation,
                      const at::Tensor &residual)
{
    if (x.size(1) != p.weight_sizes[1])
        throw std::runtime_error("a layer got another number of channels than it has weights for");
    at::Tensor y = run_conv3x3(x, p.packed3x3, p.weight_sizes[0], p.pad[0], p.pad[1], p.bias,
                               activation == NN_RELU, residual);
    return activation == NN_GELU ? at::gelu(y) : y;
}

// ---- oneDNN ----

#if NN_DNNL

using tag = dnnl::memory::format_tag;
using desc = dnnl::memory::desc;

// oneDNN's fast kernels for linear layers add to what the result has in it, but know no
// other tensor; a copy of the residual costs less than the slow ones.
bool sums_in_place(const nn_plan &p, enum nn_activation activation)
{
    return p.linear && activation == NN_NONE;
}

dims dims_of(const desc &d)
{
#if DNNL_VERSION_MAJOR >= 3
    return d.get_dims();
#else
    return d.dims();
#endif
}

dnnl::memory::data_type type_of(const desc &d)
{
#if DNNL_VERSION_MAJOR >= 3
    return d.get_data_type();
#else
    return d.data_type();
#endif
}

dnnl::primitive_attr attributes(const nn_plan &p, enum nn_activation activation, bool residual,
                                const desc &dst)
{
    dnnl::primitive_attr a;
    dnnl::post_ops ops;
    auto activate = [&] {
#if DNNL_VERSION_MAJOR >= 3
        if (activation == NN_RELU)
            ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
        if (activation == NN_GELU)
            ops.append_eltwise(dnnl::algorithm::eltwise_gelu_erf, 0, 0);
#else
        if (activation == NN_RELU)
            ops.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
        if (activation == NN_GELU)
            ops.append_eltwise(1, dnnl::algorithm::eltwise_gelu_erf, 0, 0);
#endif
    };
    if (p.linear)
        activate();
    if (residual && sums_in_place(p, activation))
        ops.append_sum(1);
    else if (residual)
        ops.append_binary(dnnl::algorithm::binary_add, dst);
    if (!p.linear)
        activate();
    a.set_post_ops(ops);
    a.set_scratchpad_mode(dnnl::scratchpad_mode::user); // else each layer keeps its own
    return a;
}

desc weights_any(const nn_plan &p, dnnl::memory::data_type type)
{
    dims d = p.weight_sizes;
    if (p.groups > 1)
        d = {p.groups, d[0] / p.groups, d[1], d[2], d[3]};
    return desc(d, type, tag::any);
}

desc bias_desc(const nn_plan &p)
{
    return desc({p.weight_sizes[0]}, dnnl::memory::data_type::f32, tag::a);
}

dims conv_result(const nn_plan &p, const dims &in)
{
    dims out = {in[0], p.weight_sizes[0], 0, 0};
    for (size_t i = 0; i < 2; i++) {
        int64_t reach = p.dilation[i] * (p.weight_sizes[2 + i] - 1) + 1;
        out[2 + i] = (in[2 + i] + 2 * p.pad[i] - reach) / p.stride[i] + 1;
        if (in[2 + i] + 2 * p.pad[i] < reach)
            throw std::runtime_error("an image smaller than the convolution's kernel");
    }
    return out;
}

template <class Forward, class... Rest>
void finish(primitive &made, const dnnl::primitive_attr &attr, Rest... rest)
{
    auto inference = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    typename Forward::primitive_desc pd(engine(), inference, rest..., attr);
#else
    typename Forward::primitive_desc pd(typename Forward::desc(inference, rest...), attr, engine());
#endif
    made.call = Forward(pd);
    made.src = pd.src_desc();
    made.dst = pd.dst_desc();
    made.weights = pd.weights_desc();
    made.scratch = pd.scratchpad_desc();
}

void finish_conv(const nn_plan &p, primitive &made, const dnnl::primitive_attr &attr,
                 dnnl::algorithm algorithm, const desc &src, const desc &dst)
{
    dims stride(p.stride, p.stride + 2), pad(p.pad, p.pad + 2);
    dims dilation = {p.dilation[0] - 1, p.dilation[1] - 1};
    desc weights = weights_any(p, type_of(src));
    using forward = dnnl::convolution_forward;
    if (p.bias.defined())
        finish<forward>(made, attr, algorithm, src, weights, bias_desc(p), dst, stride, dilation,
                        pad, pad);
    else
        finish<forward>(made, attr, algorithm, src, weights, dst, stride, dilation, pad, pad);
}

// Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin and Gray 2016) needs a quarter of
// the multiplications; worth its reordering for many channels.  It computes in float32,
// which for very many channels is still faster than bfloat16 without it.
bool may_use_winograd(const nn_plan &p)
{
    int64_t in = p.type == at::kFloat ? 64 : 256, out = p.type == at::kFloat ? 64 : 128;
    return !p.linear && p.groups == 1 && p.stride[0] == 1 && p.stride[1] == 1 &&
           p.dilation[0] == 1 && p.dilation[1] == 1 && p.weight_sizes[0] >= out &&
           p.weight_sizes[1] >= in && p.weight_sizes[0] % 16 == 0 && p.weight_sizes[1] % 16 == 0 &&
           p.weight_sizes[2] == 3 && p.weight_sizes[3] == 3;
}

bool make_winograd(const nn_plan &p, primitive &made, const dims &in, enum nn_activation activation)
{
    auto type = dnnl::memory::data_type::f32;
    if (p.type != at::kFloat && in[2] * in[3] < 400)
        return false;
    try {
        finish_conv(p, made, attributes(p, activation, false, made.given_dst),
                    dnnl::algorithm::convolution_winograd, desc(in, type, tag::any),
                    desc(made.result, type, tag::any));
        return true;
    } catch (const dnnl::error &) {
        return false;
    }
}

primitive make_conv(const nn_plan &p, const dims &in, enum nn_activation activation, bool residual)
{
    primitive made;
    made.result = conv_result(p, in);
    auto type = dnnl_type(p.type);
    made.given_src = desc(in, type, tag::nhwc);
    made.given_dst = desc(made.result, type, tag::nhwc);
    if (!residual && activation != NN_GELU && may_use_winograd(p) &&
        make_winograd(p, made, in, activation))
        return made;
    finish_conv(p, made, attributes(p, activation, residual, made.given_dst),
                dnnl::algorithm::convolution_direct, made.given_src, made.given_dst);
    return made;
}

primitive make_linear(const nn_plan &p, const dims &in, enum nn_activation activation,
                      bool residual)
{
    primitive made;
    made.result = {in[0], p.weight_sizes[0]};
    auto type = dnnl_type(p.type);
    desc src = made.given_src = desc(in, type, tag::ab);
    desc dst = made.given_dst = desc(made.result, type, tag::ab);
    auto attr = attributes(p, activation, residual, dst);
    using forward = dnnl::inner_product_forward;
    desc weights = weights_any(p, type);
    if (p.bias.defined())
        finish<forward>(made, attr, src, weights, bias_desc(p), dst);
    else
        finish<forward>(made, attr, src, weights, dst);
    return made;
}

dnnl::stream &stream()
{
    static thread_local dnnl::stream s(engine());
    return s;
}

void reorder(const dnnl::memory &from, const dnnl::memory &to)
{
    dnnl::memory source = from, target = to;
    dnnl::reorder(source, target).execute(stream(), source, target);
    stream().wait();
}

desc plain_layout(const dims &d)
{
    return desc(d, dnnl::memory::data_type::f32,
                d.size() == 2   ? tag::ab
                : d.size() == 4 ? tag::abcd
                                : tag::abcde);
}

// Weights in the layout that this primitive wants.  Those for Winograd's cannot be
// turned back, so the plain ones are kept with them.
const dnnl::memory &pack(nn_plan &p, const desc &wanted)
{
    for (const dnnl::memory &have : p.packed)
        if (have.get_desc() == wanted)
            return have;
    dnnl::memory packed(wanted, engine());
    if (p.weight.defined()) {
        at::Tensor plain = p.weight.contiguous();
        reorder(dnnl::memory(plain_layout(dims_of(wanted)), engine(), plain.data_ptr()), packed);
    } else {
        reorder(p.packed.front(), packed);
        p.packed.clear();
    }
    if (!may_use_winograd(p))
        p.weight = at::Tensor();
    p.packed.push_back(packed);
    return p.packed.back();
}

constexpr size_t max_primitives = 6;

const primitive &find_primitive(nn_plan &p, const dims &in, enum nn_activation activation,
                                bool residual)
{
    dims key = in;
    key.push_back(activation);
    key.push_back(residual);
    for (const primitive &made : p.primitives)
        if (made.key == key)
            return made;
    if (p.primitives.size() == max_primitives)
        p.primitives.erase(p.primitives.begin());
    primitive made = p.linear ? make_linear(p, in, activation, residual)
                              : make_conv(p, in, activation, residual);
    made.key = key;
    p.primitives.push_back(made);
    return p.primitives.back();
}

dnnl::memory memory_of(const desc &d, const at::Tensor &t)
{
    return dnnl::memory(d, engine(), t.data_ptr());
}

at::Tensor room_for(const desc &d)
{
    return at::empty({static_cast<int64_t>(d.get_size())}, at::kByte);
}

void execute(nn_plan &p, const primitive &made, const at::Tensor &x, const at::Tensor &y,
             const at::Tensor &residual)
{
    at::Tensor src_room, dst_room;
    dnnl::memory src = memory_of(made.given_src, x), dst = memory_of(made.given_dst, y);
    dnnl::memory given_dst = dst;
    if (made.src != made.given_src) {
        src_room = room_for(made.src);
        src = memory_of(made.src, src_room);
        reorder(memory_of(made.given_src, x), src);
    }
    if (made.dst != made.given_dst) {
        dst_room = room_for(made.dst);
        dst = memory_of(made.dst, dst_room);
    }
    std::unordered_map<int, dnnl::memory> arguments = {
        {DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, pack(p, made.weights)}, {DNNL_ARG_DST, dst}};
    if (p.bias.defined())
        arguments.insert({DNNL_ARG_BIAS, memory_of(bias_desc(p), p.bias)});
    auto activation = static_cast<enum nn_activation>(made.key[made.key.size() - 2]);
    if (residual.defined() && sums_in_place(p, activation)) {
        if (!y.is_same(residual))
            y.copy_(residual);
    } else if (residual.defined()) {
        int index = p.linear && activation != NN_NONE;
        arguments.insert({DNNL_ARG_ATTR_MULTIPLE_POST_OP(index) | DNNL_ARG_SRC_1,
                          memory_of(made.given_dst, residual)});
    }
    at::Tensor scratch;
    if (made.scratch.get_size()) {
        scratch = room_for(made.scratch);
        arguments.insert({DNNL_ARG_SCRATCHPAD, memory_of(made.scratch, scratch)});
    }
    made.call.execute(stream(), arguments);
    stream().wait();
    if (made.dst != made.given_dst)
        reorder(dst, given_dst);
}

// onto: the residual may be overwritten.
at::Tensor run_on_dnnl(nn_plan &p, const at::Tensor &x, enum nn_activation activation,
                       const at::Tensor &residual, bool onto)
{
    dims in = p.linear ? dims{x.numel() / x.size(-1), x.size(-1)} : x.sizes().vec();
    if (in[1] != p.weight_sizes[1] * p.groups)
        throw std::runtime_error("a layer got another number of channels than it has weights for");
    const primitive &made = find_primitive(p, in, activation, residual.defined());
    dims shape = made.result;
    if (p.linear) {
        shape = x.sizes().vec();
        shape.back() = made.result[1];
    }
    if (residual.defined() && residual.sizes() != at::IntArrayRef(shape))
        throw std::runtime_error("a sum of different shapes");
    at::Tensor y = residual;
    if (!onto || !sums_in_place(p, activation))
        y = at::empty(shape, x.options().memory_format(p.linear ? at::MemoryFormat::Contiguous
                                                                : at::MemoryFormat::ChannelsLast));
    execute(p, made, x, y, residual);
    return y;
}

#endif

// ---- both ----

at::Tensor prepared(const nn_plan &p, const at::Tensor &t)
{
    auto format = p.linear ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
    return t.to(p.type).contiguous(format);
}

nn_plan *new_plan(const at::Tensor &weight, const at::Tensor &bias, const struct nn_conv *how,
                  enum dtype precision)
{
    c10::AutoGradMode no_gradients(false);
    auto p = std::make_unique<nn_plan>();
    p->linear = !how;
    p->type = scalar_type(precision);
    p->weight = weight.detach().to(at::kFloat);
    p->weight_sizes = weight.sizes().vec();
    if (bias.defined())
        p->bias = bias.detach().to(at::kFloat).contiguous().clone();
    if (how) {
        auto or_one = [](int value) { return value ? value : 1; };
        p->stride[0] = or_one(how->stride_h), p->stride[1] = or_one(how->stride_w);
        p->pad[0] = how->pad_h, p->pad[1] = how->pad_w;
        p->dilation[0] = or_one(how->dilation_h), p->dilation[1] = or_one(how->dilation_w);
        p->groups = or_one(how->groups);
    }
    return p.release();
}

#if NN_DNNL
// Packs for a usual size; another size that wants another layout repacks.
void pack_first(nn_plan &p)
{
    dims in =
        p.linear ? dims{1568, p.weight_sizes[1]} : dims{8, p.weight_sizes[1] * p.groups, 56, 56};
    primitive usual =
        p.linear ? make_linear(p, in, NN_NONE, false) : make_conv(p, in, NN_NONE, false);
    (void)pack(p, usual.weights);
}
#endif

nn_plan *make_plan(const nn_tensor *weight, const nn_tensor *bias, const struct nn_conv *how,
                   enum dtype precision) noexcept
{
    nn_plan *made = nullptr;
    int failed = run([&] {
        std::unique_ptr<nn_plan> p(
            new_plan(get(weight), bias ? bias->t : at::Tensor(), how, precision));
        if (how && precision == DTYPE_F32 && suits_conv3x3(p->weight, *how)) {
            p->packed3x3 = pack_conv3x3(p->weight, false);
            p->weight = at::Tensor();
            made = p.release();
            return;
        }
#if NN_DNNL
        if (p->weight.device().is_cpu() && precision != DTYPE_F16)
            pack_first(*p);
#endif
        if (!runs_on_dnnl(*p))
            p->weight = prepared(*p, p->weight).clone();
        made = p.release();
    });
    return failed ? nullptr : made;
}

} // namespace

struct nn_plan *nn_plan_conv2d(const nn_tensor *weight, const nn_tensor *bias, struct nn_conv how,
                               enum dtype precision)
{
    return make_plan(weight, bias, &how, precision);
}

struct nn_plan *nn_plan_linear(const nn_tensor *weight, const nn_tensor *bias, enum dtype precision)
{
    return make_plan(weight, bias, nullptr, precision);
}

void nn_plan_free(struct nn_plan *plan)
{
    delete plan;
}

namespace
{

nn_tensor *run_plan(struct nn_plan *plan, const nn_tensor *x, enum nn_activation activation,
                    const nn_tensor *residual, bool onto)
{
    return make([&] {
        if (!plan)
            throw null_argument();
        c10::AutoGradMode no_gradients(false);
        at::Tensor in = prepared(*plan, get(x)), added;
        if (residual)
            added = prepared(*plan, residual->t);
        if (plan->packed3x3.defined())
            return run_on_own(*plan, in, activation, added);
#if NN_DNNL
        if (runs_on_dnnl(*plan))
            return run_on_dnnl(*plan, in, activation, added, onto);
#endif
        (void)onto;
        return run_on_torch(*plan, in, activation, added);
    });
}

} // namespace

nn_tensor *nn_plan_run(struct nn_plan *plan, const nn_tensor *x, enum nn_activation activation,
                       const nn_tensor *residual)
{
    return run_plan(plan, x, activation, residual, false);
}

nn_tensor *nn_plan_run_onto(struct nn_plan *plan, const nn_tensor *x, nn_tensor *sum)
{
    return sum ? run_plan(plan, x, NN_NONE, sum, true) : nullptr;
}

int nn_release_(nn_tensor *x)
{
    return run([&] {
        get(x);
        x->t = at::empty({0}, x->t.options().requires_grad(false));
    });
}
