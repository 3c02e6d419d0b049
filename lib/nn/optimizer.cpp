// SGD with momentum and AdamW, in place, their state open for checkpoints.
#include "nn/internal.hpp"

#include <cmath>
#include <memory>

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include "nn/kernels.h"

using namespace nn;

struct nn_optimizer {
    enum { SGD, ADAMW } kind;
    std::vector<at::Tensor *> parameters; // in the caller's handles, so that nn_move_ is seen
    std::vector<bool> decayed;
    std::vector<std::unique_ptr<nn_tensor>> slots[2];
    double momentum = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
    int64_t steps = 0;

    int slot_count() const
    {
        return kind == SGD ? 1 : 2;
    }
};

namespace
{

nn_optimizer *new_optimizer(decltype(nn_optimizer::kind) kind, nn_tensor *const *parameters,
                            size_t n)
{
    auto o = std::make_unique<nn_optimizer>();
    o->kind = kind;
    for (size_t i = 0; i < n; i++) {
        get(parameters[i]);
        o->parameters.push_back(&parameters[i]->t);
        for (int s = 0; s < o->slot_count(); s++) {
            o->slots[s].push_back(std::make_unique<nn_tensor>());
            o->slots[s].back()->t = at::zeros_like(parameters[i]->t.detach());
        }
    }
    o->decayed.assign(n, true);
    return o.release();
}

// Whether a loop over the memory of both meets the same elements at once.
bool lie_alike(const at::Tensor &p, const at::Tensor &g)
{
    return p.device().is_cpu() && p.scalar_type() == at::kFloat && g.scalar_type() == at::kFloat &&
           p.is_non_overlapping_and_dense() && p.strides() == g.strides();
}

float *values(const at::Tensor &t)
{
    return static_cast<float *>(t.data_ptr());
}

constexpr int64_t optimizer_grain = 16384;

// v = momentum v + g + decay p;  p -= rate v
void sgd_step(nn_optimizer &o, size_t i, double rate)
{
    at::Tensor &p = *o.parameters[i], &v = o.slots[0][i]->t;
    at::Tensor g = p.grad();
    if (lie_alike(p, g) && lie_alike(v, g)) {
        at::parallel_for(0, p.numel(), optimizer_grain, [&](int64_t begin, int64_t end) {
            kernel_sgd(values(p) + begin, values(v) + begin, values(g) + begin,
                       static_cast<size_t>(end - begin), static_cast<float>(o.momentum),
                       static_cast<float>(o.weight_decay), static_cast<float>(rate));
        });
        return;
    }
    g = g.add(p, o.weight_decay);
    v.mul_(o.momentum).add_(g);
    p.add_(v, -rate);
}

void adamw_step(nn_optimizer &o, size_t i, double rate)
{
    at::Tensor &p = *o.parameters[i];
    at::Tensor &m = o.slots[0][i]->t, &v = o.slots[1][i]->t;
    at::Tensor g = p.grad();
    double n = static_cast<double>(o.steps);
    double correct1 = 1 - std::pow(o.beta1, n), correct2 = 1 - std::pow(o.beta2, n);
    double decay = o.decayed[i] ? rate * o.weight_decay : 0;
    if (lie_alike(p, g) && lie_alike(m, g) && lie_alike(v, g)) {
        auto f = [](double x) { return static_cast<float>(x); };
        struct adamw how = {f(decay),   f(o.beta1),        f(1 - o.beta1),
                            f(o.beta2), f(1 - o.beta2),    f(1 / std::sqrt(correct2)),
                            f(o.eps),   f(rate / correct1)};
        at::parallel_for(0, p.numel(), optimizer_grain, [&](int64_t begin, int64_t end) {
            kernel_adamw(values(p) + begin, values(m) + begin, values(v) + begin, values(g) + begin,
                         static_cast<size_t>(end - begin), &how);
        });
        return;
    }
    p.mul_(1 - decay);
    m.mul_(o.beta1).add_(g, 1 - o.beta1);
    v.mul_(o.beta2).addcmul_(g, g, 1 - o.beta2);
    p.addcdiv_(m, (v.sqrt() / std::sqrt(correct2)).add_(o.eps), -rate / correct1);
}

template <class F> nn_optimizer *make_optimizer(F f) noexcept
{
    try {
        return f();
    } catch (...) {
        remember_exception();
        return nullptr;
    }
}

} // namespace

struct nn_optimizer *nn_sgd(nn_tensor *const *parameters, size_t n, double momentum,
                            double weight_decay)
{
    return make_optimizer([&] {
        nn_optimizer *o = new_optimizer(nn_optimizer::SGD, parameters, n);
        o->momentum = momentum;
        o->weight_decay = weight_decay;
        return o;
    });
}

struct nn_optimizer *nn_adamw(nn_tensor *const *parameters, size_t n, double beta1, double beta2,
                              double eps, double weight_decay, const bool *decayed)
{
    return make_optimizer([&] {
        nn_optimizer *o = new_optimizer(nn_optimizer::ADAMW, parameters, n);
        o->beta1 = beta1;
        o->beta2 = beta2;
        o->eps = eps;
        o->weight_decay = weight_decay;
        for (size_t i = 0; decayed && i < n; i++)
            o->decayed[i] = decayed[i];
        return o;
    });
}

void nn_optimizer_free(struct nn_optimizer *optimizer)
{
    delete optimizer;
}

int nn_optimizer_step(struct nn_optimizer *optimizer, double learning_rate)
{
    return run([&] {
        c10::AutoGradMode no_gradients(false);
        optimizer->steps++;
        for (size_t i = 0; i < optimizer->parameters.size(); i++) {
            if (!optimizer->parameters[i]->grad().defined())
                continue;
            if (optimizer->kind == nn_optimizer::SGD)
                sgd_step(*optimizer, i, learning_rate);
            else
                adamw_step(*optimizer, i, learning_rate);
        }
    });
}

int64_t nn_optimizer_steps(const struct nn_optimizer *optimizer)
{
    return optimizer->steps;
}

void nn_optimizer_set_steps(struct nn_optimizer *optimizer, int64_t steps)
{
    optimizer->steps = steps;
}

int nn_optimizer_slots(const struct nn_optimizer *optimizer)
{
    return optimizer->slot_count();
}

const char *nn_optimizer_slot_name(const struct nn_optimizer *optimizer, int slot)
{
    static const char *const names[] = {"exp_avg", "exp_avg_sq"};
    return optimizer->kind == nn_optimizer::SGD ? "momentum" : names[slot != 0];
}

nn_tensor *nn_optimizer_slot(const struct nn_optimizer *optimizer, int slot, size_t parameter)
{
    return optimizer->slots[slot][parameter].get();
}
