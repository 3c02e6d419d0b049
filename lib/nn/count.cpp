// Counting the operations of products and convolutions, as libtorch is asked for them.
#include <cstring>

#include <ATen/record_function.h>

#include "nn/internal.hpp"

namespace
{

thread_local uint64_t operations;
thread_local bool counting;
thread_local at::CallbackHandle handle;

at::Tensor tensor(const at::RecordFunction &call, size_t i)
{
    return call.inputs()[i].toTensor();
}

// Of each output element: the elements of the kernel.  The stride and so on are
// those of aten::convolution's schema.
uint64_t convolution(const at::RecordFunction &call)
{
    at::Tensor x = tensor(call, 0), weight = tensor(call, 1);
    if (call.inputs()[6].toBool())
        return x.numel() * (weight.numel() / weight.size(0));
    auto stride = call.inputs()[3].toIntVector(), pad = call.inputs()[4].toIntVector(),
         dilation = call.inputs()[5].toIntVector();
    uint64_t places = x.size(0);
    for (int64_t i = 2; i < x.dim(); i++) {
        int64_t k = (weight.size(i) - 1) * dilation[i - 2] + 1;
        places *= (x.size(i) + 2 * pad[i - 2] - k) / stride[i - 2] + 1;
    }
    return places * weight.numel();
}

// Multiplications with addition.
uint64_t multiplications(const at::RecordFunction &call)
{
    const char *name = call.name();
    if (!std::strcmp(name, "aten::convolution"))
        return convolution(call);
    if (!std::strcmp(name, "aten::mm") || !std::strcmp(name, "aten::bmm"))
        return tensor(call, 0).numel() * tensor(call, 1).size(-1);
    if (!std::strcmp(name, "aten::addmm") || !std::strcmp(name, "aten::baddbmm"))
        return tensor(call, 1).numel() * tensor(call, 2).size(-1);
    return 0;
}

std::unique_ptr<at::ObserverContext> count(const at::RecordFunction &call)
{
    operations += 2 * multiplications(call);
    return nullptr;
}

} // namespace

bool nn::is_counting() noexcept
{
    return counting;
}

int nn_count_begin(void)
{
    return nn::run([] {
        operations = 0;
        counting = true;
        handle = at::addThreadLocalCallback(at::RecordFunctionCallback(count).needsInputs(true));
    });
}

uint64_t nn_count_end(void)
{
    at::removeCallback(handle);
    counting = false;
    return operations;
}
