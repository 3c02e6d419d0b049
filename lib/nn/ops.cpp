// Shape, arithmetic, reductions.
#include "nn/training.hpp"

using namespace nn;

// ---- shape ----

nn_tensor *nn_reshape(const nn_tensor *x, int ndim, const int64_t *shape)
{
    return make([&] { return get(x).reshape(sizes(ndim, shape)); });
}

nn_tensor *nn_reshape2(const nn_tensor *x, int64_t a, int64_t b)
{
    return make([&] { return get(x).reshape({a, b}); });
}

nn_tensor *nn_reshape3(const nn_tensor *x, int64_t a, int64_t b, int64_t c)
{
    return make([&] { return get(x).reshape({a, b, c}); });
}

nn_tensor *nn_reshape4(const nn_tensor *x, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return make([&] { return get(x).reshape({a, b, c, d}); });
}

nn_tensor *nn_permute(const nn_tensor *x, int ndim, const int64_t *order)
{
    return make([&] { return get(x).permute(sizes(ndim, order)); });
}

nn_tensor *nn_transpose(const nn_tensor *x, int dim0, int dim1)
{
    return make([&] { return get(x).transpose(dim0, dim1); });
}

nn_tensor *nn_expand(const nn_tensor *x, int ndim, const int64_t *shape)
{
    return make([&] { return get(x).expand(sizes(ndim, shape)); });
}

nn_tensor *nn_unsqueeze(const nn_tensor *x, int dim)
{
    return make([&] { return get(x).unsqueeze(dim); });
}

nn_tensor *nn_narrow(const nn_tensor *x, int dim, int64_t start, int64_t length)
{
    return make([&] { return get(x).narrow(dim, start, length); });
}

nn_tensor *nn_select(const nn_tensor *x, int dim, int64_t index)
{
    return make([&] { return get(x).select(dim, index); });
}

nn_tensor *nn_cat(const nn_tensor *const *xs, size_t n, int dim)
{
    return make([&] { return at::cat(get_all(xs, n), dim); });
}

nn_tensor *nn_cat2(const nn_tensor *x, const nn_tensor *y, int dim)
{
    return make([&] { return at::cat({get(x), get(y)}, dim); });
}

nn_tensor *nn_stack(const nn_tensor *const *xs, size_t n, int dim)
{
    return make([&] { return at::stack(get_all(xs, n), dim); });
}

nn_tensor *nn_pad2d(const nn_tensor *x, int64_t left, int64_t right, int64_t top, int64_t bottom,
                    double value)
{
    return make([&] { return at::constant_pad_nd(get(x), {left, right, top, bottom}, value); });
}

nn_tensor *nn_roll2(const nn_tensor *x, int64_t shift0, int dim0, int64_t shift1, int dim1)
{
    return make([&] { return at::roll(get(x), {shift0, shift1}, {dim0, dim1}); });
}

nn_tensor *nn_flip(const nn_tensor *x, int dim)
{
    return make([&] { return at::flip(get(x), {dim}); });
}

nn_tensor *nn_rotate90(const nn_tensor *x, int quarters)
{
    return make([&] { return at::rot90(get(x), quarters, {-2, -1}); });
}

nn_tensor *nn_index_select(const nn_tensor *x, int dim, const nn_tensor *index)
{
    return make([&] { return at::index_select(get(x), dim, get(index)); });
}

// ---- arithmetic ----

nn_tensor *nn_add(const nn_tensor *x, const nn_tensor *y)
{
    return make([&] { return at::add(get(x), get(y)); });
}

nn_tensor *nn_sub(const nn_tensor *x, const nn_tensor *y)
{
    return make([&] { return at::sub(get(x), get(y)); });
}

nn_tensor *nn_mul(const nn_tensor *x, const nn_tensor *y)
{
    return make([&] { return at::mul(get(x), get(y)); });
}

nn_tensor *nn_div(const nn_tensor *x, const nn_tensor *y)
{
    return make([&] { return at::div(get(x), get(y)); });
}

nn_tensor *nn_minimum(const nn_tensor *x, const nn_tensor *y)
{
    return make([&] { return at::minimum(get(x), get(y)); });
}

nn_tensor *nn_affine(const nn_tensor *x, double factor, double addend)
{
    return make([&] {
        at::Tensor y = factor == 1 ? get(x) : at::mul(get(x), factor);
        return addend == 0 ? y : at::add(y, addend);
    });
}

nn_tensor *nn_clamp(const nn_tensor *x, double low, double high)
{
    return make([&] { return at::clamp(get(x), at::Scalar(low), at::Scalar(high)); });
}

nn_tensor *nn_log(const nn_tensor *x)
{
    return make([&] { return at::log(get(x)); });
}

nn_tensor *nn_sqrt(const nn_tensor *x)
{
    return make([&] { return at::sqrt(get(x)); });
}

nn_tensor *nn_abs(const nn_tensor *x)
{
    return make([&] { return at::abs(get(x)); });
}

nn_tensor *nn_square(const nn_tensor *x)
{
    return make([&] { return at::mul(get(x), get(x)); });
}

template <class Y>
static at::Tensor compared(const at::Tensor &x, enum nn_comparison how, const Y &y)
{
    switch (how) {
    case NN_EQ:
        return at::eq(x, y);
    case NN_NE:
        return at::ne(x, y);
    case NN_LT:
        return at::lt(x, y);
    case NN_LE:
        return at::le(x, y);
    case NN_GT:
        return at::gt(x, y);
    case NN_GE:
        return at::ge(x, y);
    }
    throw std::runtime_error("no such comparison");
}

nn_tensor *nn_compare(const nn_tensor *x, enum nn_comparison how, double y)
{
    return make([&] { return compared(get(x), how, at::Scalar(y)); });
}

nn_tensor *nn_compare_to(const nn_tensor *x, enum nn_comparison how, const nn_tensor *y)
{
    return make([&] { return compared(get(x), how, get(y)); });
}

nn_tensor *nn_where(const nn_tensor *condition, const nn_tensor *yes, const nn_tensor *no)
{
    return make([&] { return at::where(get(condition), get(yes), get(no)); });
}

nn_tensor *nn_matmul(const nn_tensor *x, const nn_tensor *y)
{
    return make([&] { return train_product(get(x), get(y)); });
}

// ---- reductions ----

nn_tensor *nn_sum(const nn_tensor *x)
{
    return make([&] { return at::sum(get(x)); });
}

nn_tensor *nn_mean(const nn_tensor *x)
{
    return make([&] { return at::mean(get(x)); });
}

nn_tensor *nn_sum_dims(const nn_tensor *x, int n, const int64_t *dims, bool keep)
{
    return make([&] { return at::sum(get(x), sizes(n, dims), keep); });
}

nn_tensor *nn_mean_dims(const nn_tensor *x, int n, const int64_t *dims, bool keep)
{
    return make([&] { return at::mean(get(x), sizes(n, dims), keep); });
}

nn_tensor *nn_max_dim(const nn_tensor *x, int dim, bool keep)
{
    return make([&] { return at::amax(get(x), {dim}, keep); });
}

nn_tensor *nn_argmax(const nn_tensor *x, int dim)
{
    return make([&] { return at::argmax(get(x), dim); });
}

nn_tensor *nn_logsumexp(const nn_tensor *x, int dim, bool keep)
{
    return make([&] { return at::logsumexp(get(x), at::IntArrayRef({int64_t(dim)}), keep); });
}

nn_tensor *nn_dot(const nn_tensor *x, const nn_tensor *y)
{
    return make([&] { return at::sum(at::mul(get(x), get(y))); });
}
