// Errors, scopes, devices, modes.
#include "nn/internal.hpp"
#include "nn/lost_rank.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "core/cpu.h"

#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#if __has_include(<ATen/Context.h>)
#include <ATen/Context.h>
#endif
#if defined(NN_DNNL)
#include <dnnl.hpp>
#endif

namespace
{

struct thread_error {
    enum status status = STATUS_OK;
    char message[400] = "";
};

thread_local thread_error last_error;
thread_local std::vector<std::vector<std::unique_ptr<nn_tensor>>> scopes;

// libtorch and oneDNN choose their kernels when first used and take their limits from
// variables of their own, which stay where the user has set them.  Before main, while there
// is one thread.
__attribute__((constructor)) void limit_libraries()
{
    static const char *const libtorch[] = {"default", "avx2", "avx512", "avx512"};
    static const char *const onednn[] = {"SSE41", "AVX2", "AVX512_CORE", "AVX512_CORE_BF16"};
    const char *limit = getenv("MORPHOSEG_ISA");
    if (!limit || !*limit)
        return;
    setenv("ATEN_CPU_CAPABILITY", libtorch[cpu_level()], 0);
    setenv("DNNL_MAX_CPU_ISA", onednn[cpu_level()], 0);
}

bool is_about_memory(const char *message)
{
    return strstr(message, "allocate memory") || strstr(message, "out of memory");
}

} // namespace

namespace nn
{

// The first error stays until nn_to_err has told it: later ones come of it.
void set_error(enum status status, const char *message) noexcept
{
    if (last_error.status != STATUS_OK)
        return;
    size_t length = strcspn(message, "\n");
    if (length >= sizeof last_error.message)
        length = sizeof last_error.message - 1;
    memcpy(last_error.message, message, length);
    last_error.message[length] = '\0';
    last_error.status = status;
}

void remember_exception() noexcept
{
    try {
        throw;
    } catch (const null_argument &) {
        set_error(STATUS_BUG, "a tensor is missing");
    } catch (const lost_rank &e) {
        set_error(STATUS_IO, e.what());
    } catch (const std::bad_alloc &) {
        set_error(STATUS_MEMORY, "out of memory");
    } catch (const c10::Error &e) {
        const char *what = e.what_without_backtrace();
        set_error(is_about_memory(what) ? STATUS_MEMORY : STATUS_BUG, what);
    } catch (const std::exception &e) {
        set_error(is_about_memory(e.what()) ? STATUS_MEMORY : STATUS_BUG, e.what());
    } catch (...) {
        set_error(STATUS_BUG, "an unknown exception");
    }
}

nn_tensor *new_handle(at::Tensor t)
{
    auto handle = std::make_unique<nn_tensor>();
    handle->t = std::move(t);
    return handle.release();
}

nn_tensor *into_scope(at::Tensor t)
{
    if (scopes.empty())
        throw std::runtime_error("no nn_scope_begin before this call");
    auto handle = std::make_unique<nn_tensor>();
    handle->t = std::move(t);
    handle->temporary = true;
    scopes.back().push_back(std::move(handle));
    return scopes.back().back().get();
}

std::vector<at::Tensor> get_all(const nn_tensor *const *xs, size_t n)
{
    std::vector<at::Tensor> all;
    all.reserve(n);
    for (size_t i = 0; i < n; i++)
        all.push_back(get(xs[i]));
    return all;
}

at::Device device_of(int device)
{
    return device < 0 ? at::Device(at::kCPU)
                      : at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device));
}

int device_number(const at::Tensor &t)
{
    return t.is_cuda() ? t.get_device() : NN_CPU;
}

} // namespace nn

using namespace nn;

const char *nn_error(void)
{
    return last_error.message;
}

enum status nn_error_status(void)
{
    return last_error.status;
}

int nn_to_err(struct err *err, const char *what)
{
    err_set(err, last_error.status == STATUS_OK ? STATUS_BUG : last_error.status, "%s: %s", what,
            last_error.message);
    last_error = thread_error();
    return -1;
}

// ---- the machine ----

int nn_cuda_count(void)
{
    try {
        return at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()) : 0;
    } catch (...) {
        remember_exception();
        return 0;
    }
}

int nn_seed(uint64_t seed)
{
    return run([&] { at::manual_seed(seed); });
}

// oneDNN may be told to do with less than the processor has.
static bool library_has_bf16()
{
#if defined(NN_DNNL)
    auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
#else
    return true;
#endif
}

bool nn_has_fast_bf16(int device)
{
    return device >= 0 || (cpu_has_bf16() && library_has_bf16());
}

enum dtype nn_fastest_precision(int device)
{
    return nn_has_fast_bf16(device) ? DTYPE_BF16 : DTYPE_F32;
}

int nn_check_precision(int device, enum dtype precision, struct err *err)
{
    if (precision == DTYPE_F16 && device < 0)
        return err_set(err, STATUS_USAGE, "fp16 is for CUDA devices; use auto");
    if (precision != DTYPE_BF16 || nn_has_fast_bf16(device))
        return 0;
    if (cpu_has_bf16())
        return err_set(err, STATUS_USAGE,
                       "bf16 needs AVX512_BF16, which oneDNN may not use; "
                       "use auto");
    return err_set(err, STATUS_USAGE,
                   "bf16 needs a processor with AVX512_BF16, and this one has %s; use auto",
                   cpu_level_name(cpu_level()));
}

// ---- scopes and modes ----

int nn_scope_begin(void)
{
    return run([&] { scopes.emplace_back(); });
}

void nn_scope_end(void)
{
    if (!scopes.empty())
        scopes.pop_back();
}

nn_tensor *nn_scope_end_keep(nn_tensor *keep)
{
    try {
        at::Tensor t = keep ? keep->t : at::Tensor();
        nn_scope_end();
        return keep ? into_scope(std::move(t)) : nullptr;
    } catch (...) {
        remember_exception();
        return nullptr;
    }
}

nn_tensor *nn_keep(const nn_tensor *x)
{
    try {
        return new_handle(get(x));
    } catch (...) {
        remember_exception();
        return nullptr;
    }
}

void nn_free(nn_tensor *x)
{
    if (x && !x->temporary)
        delete x;
}

bool nn_set_gradients(bool on)
{
    bool before = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(on);
    return before;
}

#if NN_TORCH_AT_LEAST(2, 4)

enum dtype nn_set_autocast(int device, enum dtype dtype)
{
    auto type = device < 0 ? at::kCPU : at::kCUDA;
    enum dtype before = DTYPE_F32;
    (void)run([&] {
        if (at::autocast::is_autocast_enabled(type))
            before = dtype_of(at::autocast::get_autocast_dtype(type));
        at::autocast::set_autocast_enabled(type, dtype != DTYPE_F32);
        if (dtype != DTYPE_F32)
            at::autocast::set_autocast_dtype(type, scalar_type(dtype));
        at::autocast::clear_cache();
    });
    return before;
}

#else

enum dtype nn_set_autocast(int device, enum dtype dtype)
{
    using namespace at::autocast;
    enum dtype before = DTYPE_F32;
    (void)run([&] {
        bool on = dtype != DTYPE_F32;
        if (device < 0) {
            before = is_cpu_enabled() ? dtype_of(get_autocast_cpu_dtype()) : DTYPE_F32;
            set_cpu_enabled(on);
            if (on)
                set_autocast_cpu_dtype(scalar_type(dtype));
        } else {
            before = is_enabled() ? dtype_of(get_autocast_gpu_dtype()) : DTYPE_F32;
            set_enabled(on);
            if (on)
                set_autocast_gpu_dtype(scalar_type(dtype));
        }
        clear_cache();
    });
    return before;
}

#endif
