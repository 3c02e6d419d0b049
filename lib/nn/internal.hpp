// What the files of lib/nn share: the wall that exceptions don't cross, and the
// way between handles and libtorch's tensors.
#pragma once

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "nn/torch.hpp"

extern "C" {
#include "core/err.h"
}
#include "nn/nn.h"

#if AT_PARALLEL_OPENMP && !defined(_OPENMP)
#error "needs -fopenmp: at::parallel_for would run on one thread"
#endif

#define NN_TORCH_AT_LEAST(major, minor)                                                            \
    (TORCH_VERSION_MAJOR > (major) ||                                                              \
     (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

struct nn_tensor {
    at::Tensor t;
    bool temporary = false; // belongs to a scope
};

namespace nn
{

// Sets the thread's error from the exception that is being handled.
void remember_exception() noexcept;
void set_error(enum status status, const char *message) noexcept;

// Puts a tensor into the innermost scope.
nn_tensor *into_scope(at::Tensor t);
nn_tensor *new_handle(at::Tensor t);

// An argument was NULL: the error of the call that made it stays.
struct null_argument {
};

inline const at::Tensor &get(const nn_tensor *x)
{
    if (!x)
        throw null_argument();
    return x->t;
}

inline c10::optional<at::Tensor> maybe(const nn_tensor *x)
{
    return x ? c10::optional<at::Tensor>(x->t) : c10::optional<at::Tensor>();
}

std::vector<at::Tensor> get_all(const nn_tensor *const *xs, size_t n);

inline at::IntArrayRef sizes(int n, const int64_t *values)
{
    return at::IntArrayRef(values, static_cast<size_t>(n));
}

at::ScalarType scalar_type(enum dtype dtype);
enum dtype dtype_of(at::ScalarType type);
at::Device device_of(int device);
int device_number(const at::Tensor &t);

// Of count.cpp: whether products must go through libtorch, which tells of them.
bool is_counting() noexcept;

// Of group.cpp: batch normalization over all ranks of nn_set_batch_group's group.
bool has_batch_group() noexcept;
at::Tensor joint_batch_norm(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                            at::Tensor running_mean, at::Tensor running_var, double momentum,
                            double eps);

// Runs f behind the wall: 0, or -1 with the error set.
template <class F> int run(F f) noexcept
{
    try {
        f();
        return 0;
    } catch (...) {
        remember_exception();
        return -1;
    }
}

// Runs f, which gives a tensor, behind the wall: a temporary, or NULL.
template <class F> nn_tensor *make(F f) noexcept
{
    try {
        return into_scope(f());
    } catch (...) {
        remember_exception();
        return nullptr;
    }
}

} // namespace nn
