// Tensors: host memory, shapes in and out, changes in place, parameters, gradients.
#include "nn/internal.hpp"

#include <cmath>
#include <cstring>

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

namespace nn
{

at::ScalarType scalar_type(enum dtype dtype)
{
    switch (dtype) {
    case DTYPE_BOOL:
        return at::kBool;
    case DTYPE_U8:
        return at::kByte;
    case DTYPE_I8:
        return at::kChar;
    case DTYPE_I16:
        return at::kShort;
    case DTYPE_U16:
    case DTYPE_I32:
        return at::kInt;
    case DTYPE_U32:
    case DTYPE_U64:
    case DTYPE_I64:
        return at::kLong;
    case DTYPE_F16:
        return at::kHalf;
    case DTYPE_BF16:
        return at::kBFloat16;
    case DTYPE_F32:
        return at::kFloat;
    case DTYPE_F64:
        return at::kDouble;
    }
    throw std::runtime_error("no such element type");
}

enum dtype dtype_of(at::ScalarType type)
{
    switch (type) {
    case at::kBool:
        return DTYPE_BOOL;
    case at::kByte:
        return DTYPE_U8;
    case at::kChar:
        return DTYPE_I8;
    case at::kShort:
        return DTYPE_I16;
    case at::kInt:
        return DTYPE_I32;
    case at::kHalf:
        return DTYPE_F16;
    case at::kBFloat16:
        return DTYPE_BF16;
    case at::kDouble:
        return DTYPE_F64;
    case at::kLong:
        return DTYPE_I64;
    default:
        return DTYPE_F32;
    }
}

} // namespace nn

using namespace nn;

namespace
{

at::TensorOptions options(enum dtype dtype, int device)
{
    return at::TensorOptions().dtype(scalar_type(dtype)).device(device_of(device));
}

template <class From, class To>
at::Tensor widened(const void *data, at::IntArrayRef shape, at::ScalarType type)
{
    at::Tensor t = at::empty(shape, type);
    auto *from = static_cast<const unsigned char *>(data);
    auto *to = static_cast<To *>(t.data_ptr());
    for (int64_t i = 0, n = t.numel(); i < n; i++) {
        From value;
        memcpy(&value, from + static_cast<size_t>(i) * sizeof value, sizeof value);
        to[i] = static_cast<To>(value);
    }
    return t;
}

at::Tensor from_host(const void *data, enum dtype dtype, at::IntArrayRef shape)
{
    if (dtype == DTYPE_U16)
        return widened<uint16_t, int32_t>(data, shape, at::kInt);
    if (dtype == DTYPE_U32)
        return widened<uint32_t, int64_t>(data, shape, at::kLong);
    at::Tensor t = at::empty(shape, scalar_type(dtype));
    if (t.numel())
        memcpy(t.data_ptr(), data, t.nbytes());
    return t;
}

at::Tensor for_host(const at::Tensor &t, enum dtype dtype)
{
    if (dtype == DTYPE_U16 || dtype == DTYPE_U32 || dtype == DTYPE_U64)
        throw std::runtime_error("nn_to_host does not give unsigned types beyond uint8");
    return t.detach().to(at::kCPU, scalar_type(dtype)).contiguous();
}

} // namespace

nn_tensor *nn_from_host(const void *data, enum dtype dtype, int ndim, const int64_t *shape)
{
    return make([&] { return from_host(data, dtype, sizes(ndim, shape)); });
}

int nn_to_host(const nn_tensor *x, void *data, enum dtype dtype, size_t bytes)
{
    return run([&] {
        at::Tensor t = for_host(get(x), dtype);
        if (t.nbytes() != bytes)
            throw std::runtime_error("nn_to_host: the memory has another size than the tensor");
        if (bytes)
            memcpy(data, t.data_ptr(), bytes);
    });
}

int nn_item(const nn_tensor *x, double *value)
{
    return run([&] { *value = get(x).item().toDouble(); });
}

nn_tensor *nn_full(int ndim, const int64_t *shape, double value, enum dtype dtype, int device)
{
    return make([&] { return at::full(sizes(ndim, shape), value, options(dtype, device)); });
}

nn_tensor *nn_zeros_like(const nn_tensor *x)
{
    return make([&] { return at::zeros_like(get(x)); });
}

nn_tensor *nn_rand(int ndim, const int64_t *shape, int device)
{
    return make([&] { return at::rand(sizes(ndim, shape), options(DTYPE_F32, device)); });
}

nn_tensor *nn_randn(int ndim, const int64_t *shape, int device)
{
    return make([&] { return at::randn(sizes(ndim, shape), options(DTYPE_F32, device)); });
}

nn_tensor *nn_arange(int64_t n, int device)
{
    return make([&] { return at::arange(n, options(DTYPE_I64, device)); });
}

nn_tensor *nn_to_dtype(const nn_tensor *x, enum dtype dtype)
{
    return make([&] { return get(x).to(scalar_type(dtype)); });
}

nn_tensor *nn_to_device(const nn_tensor *x, int device)
{
    return make([&] { return get(x).to(device_of(device), get(x).scalar_type()); });
}

nn_tensor *nn_clone(const nn_tensor *x)
{
    return make([&] { return get(x).clone(); });
}

nn_tensor *nn_contiguous(const nn_tensor *x)
{
    return make([&] { return get(x).contiguous(); });
}

nn_tensor *nn_channels_last(const nn_tensor *x)
{
    return make([&] { return get(x).contiguous(at::MemoryFormat::ChannelsLast); });
}

int nn_ndim(const nn_tensor *x)
{
    return x ? static_cast<int>(x->t.dim()) : -1;
}

int64_t nn_size(const nn_tensor *x, int dim)
{
    int n = nn_ndim(x);
    int d = dim < 0 ? dim + n : dim;
    return d >= 0 && d < n ? x->t.sizes()[static_cast<size_t>(d)] : -1;
}

int64_t nn_count(const nn_tensor *x)
{
    return x ? x->t.numel() : -1;
}

enum dtype nn_dtype(const nn_tensor *x)
{
    return x ? dtype_of(x->t.scalar_type()) : DTYPE_F32;
}

int nn_device(const nn_tensor *x)
{
    return x ? device_number(x->t) : NN_CPU;
}

// ---- in place ----

int nn_copy_(nn_tensor *to, const nn_tensor *from)
{
    return run([&] {
        if (get(to).sizes() != get(from).sizes())
            throw std::runtime_error("nn_copy_: shapes differ");
        to->t.copy_(from->t);
    });
}

int nn_copy_from_host_(nn_tensor *to, const void *data, enum dtype dtype)
{
    return run([&] {
        if (dtype == DTYPE_U16 || dtype == DTYPE_U32 || dtype == DTYPE_U64)
            throw std::runtime_error("nn_copy_from_host_ takes no unsigned types beyond uint8");
        c10::AutoGradMode no_gradients(false);
        to->t.copy_(at::from_blob(const_cast<void *>(data), get(to).sizes(), scalar_type(dtype)));
    });
}

int nn_fill_(nn_tensor *x, double value)
{
    return run([&] { get(x).fill_(value); });
}

int nn_scale_(nn_tensor *x, double factor)
{
    return run([&] { get(x).mul_(factor); });
}

int nn_add_(nn_tensor *x, const nn_tensor *y, double factor)
{
    return run([&] {
        bool whole = c10::isIntegralType(get(x).scalar_type(), true);
        get(x).add_(get(y), whole ? at::Scalar(static_cast<int64_t>(factor)) : at::Scalar(factor));
    });
}

int nn_uniform_(nn_tensor *x, double low, double high)
{
    return run([&] { get(x).uniform_(low, high); });
}

int nn_normal_(nn_tensor *x, double mean, double deviation)
{
    return run([&] { get(x).normal_(mean, deviation); });
}

// The inverse of the distribution function, of uniform numbers between its values at -2 and 2.
int nn_truncated_normal_(nn_tensor *x, double deviation)
{
    return run([&] {
        double edge = std::erf(2 / std::sqrt(2.0));
        get(x).uniform_(-edge, edge).erfinv_().mul_(deviation * std::sqrt(2.0));
        x->t.clamp_(-2 * deviation, 2 * deviation);
    });
}

// ---- parameters and gradients ----

nn_tensor *nn_parameter(int ndim, const int64_t *shape)
{
    nn_tensor *x = nn_buffer(ndim, shape, DTYPE_F32);
    if (x)
        x->t.requires_grad_(true);
    return x;
}

nn_tensor *nn_buffer(int ndim, const int64_t *shape, enum dtype dtype)
{
    try {
        return new_handle(at::zeros(sizes(ndim, shape), scalar_type(dtype)));
    } catch (...) {
        remember_exception();
        return nullptr;
    }
}

int nn_move_(nn_tensor *x, int device, enum dtype dtype)
{
    return run([&] {
        bool wanted = get(x).requires_grad();
        x->t = x->t.detach().to(device_of(device), scalar_type(dtype));
        x->t.requires_grad_(wanted);
    });
}

int nn_require_gradient_(nn_tensor *x, bool on)
{
    return run([&] { get(x).requires_grad_(on); });
}

int nn_backward(const nn_tensor *loss)
{
    return run([&] { get(loss).backward(); });
}

nn_tensor *nn_gradient(const nn_tensor *x)
{
    if (!x || !x->t.grad().defined())
        return nullptr;
    return make([&] { return x->t.grad(); });
}

int nn_zero_gradients(nn_tensor *const *xs, size_t n)
{
    return run([&] {
        for (size_t i = 0; i < n; i++)
            get(xs[i]).mutable_grad() = at::Tensor();
    });
}

int nn_gradients_of(const nn_tensor *loss, nn_tensor *const *xs, size_t n, bool keep_graph,
                    nn_tensor **out)
{
    return run([&] {
        auto inputs = get_all(xs, n);
        auto found = torch::autograd::grad({get(loss)}, inputs, {}, keep_graph, false, true);
        for (size_t i = 0; i < n; i++)
            out[i] = into_scope(found[i].defined() ? found[i] : at::zeros_like(inputs[i]));
    });
}

nn_tensor *nn_detach(const nn_tensor *x)
{
    return make([&] { return get(x).detach(); });
}

int nn_clip_gradients(nn_tensor *const *xs, size_t n, double limit, double *norm)
{
    return run([&] {
        std::vector<at::Tensor> grads, norms;
        for (size_t i = 0; i < n; i++)
            if (get(xs[i]).grad().defined())
                grads.push_back(xs[i]->t.grad());
        for (auto &g : grads)
            norms.push_back(g.norm().to(at::kFloat));
        double total = norms.empty() ? 0 : at::stack(norms).norm().item().toDouble();
        if (norm)
            *norm = total;
        if (total > limit)
            for (auto &g : grads)
                g.mul_(limit / total);
    });
}
