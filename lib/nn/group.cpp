// Processes that train together, over libtorch's c10d.
#include "nn/internal.hpp"
#include "nn/lost_rank.hpp"

#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#if NN_C10D

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

using namespace nn;
using c10d::ProcessGroupGloo;

struct nn_group {
    int rank, size;
    c10::intrusive_ptr<c10d::Store> store;
    std::unique_ptr<ProcessGroupGloo> gloo;
};

namespace
{

constexpr int64_t BUCKET = 8 << 20; // bytes

nn_group *batch_group;

using milliseconds = std::chrono::milliseconds;

// Runs f, which waits for the other ranks.
template <class F> void with_others(F f)
{
    try {
        f();
    } catch (const c10::Error &e) {
        throw lost_rank(e.what_without_backtrace());
    } catch (const std::exception &e) {
        throw lost_rank(e.what());
    }
}

// As run(), but what fails is the net, or another process.
template <class F> int run_net(const char *what, F f) noexcept
{
    try {
        f();
        return 0;
    } catch (const lost_rank &e) {
        set_error(STATUS_IO, e.what());
    } catch (const c10::Error &e) {
        set_error(STATUS_IO, (std::string(what) + ": " + e.what_without_backtrace()).c_str());
    } catch (const std::exception &e) {
        set_error(STATUS_IO, (std::string(what) + ": " + e.what()).c_str());
    } catch (...) {
        remember_exception();
    }
    return -1;
}

// ---- meeting ----

struct addresses {
    addrinfo *list = nullptr;
    addresses(const std::string &host, const std::string &port, int type)
    {
        addrinfo hints = {};
        hints.ai_socktype = type;
        if (int code = getaddrinfo(host.c_str(), port.c_str(), &hints, &list))
            throw std::runtime_error("'" + host + "': " + gai_strerror(code));
    }
    ~addresses()
    {
        freeaddrinfo(list);
    }
};

// This machine's address on the way to a host, as a number.
std::string address_towards(const std::string &host)
{
    addresses to(host, "9", SOCK_DGRAM);
    for (const addrinfo *a = to.list; a; a = a->ai_next) {
        int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        sockaddr_storage own = {};
        socklen_t length = sizeof own;
        char text[NI_MAXHOST];
        bool good = connect(fd, a->ai_addr, a->ai_addrlen) == 0 &&
                    getsockname(fd, reinterpret_cast<sockaddr *>(&own), &length) == 0 &&
                    getnameinfo(reinterpret_cast<sockaddr *>(&own), length, text, sizeof text,
                                nullptr, 0, NI_NUMERICHOST) == 0;
        close(fd);
        if (good)
            return text;
    }
    throw std::runtime_error("no way to '" + host + "'");
}

// Waits until somebody listens there: libtorch's own tries print a warning each.
void wait_for_listener(const nn_group_options &o)
{
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(o.timeout);
    addresses to(o.address, std::to_string(o.port), SOCK_STREAM);
    for (;;) {
        for (const addrinfo *a = to.list; a; a = a->ai_next) {
            int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
            bool heard = fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0;
            if (fd >= 0)
                close(fd);
            if (heard)
                return;
        }
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error("nobody listens there");
        std::this_thread::sleep_for(milliseconds(50));
    }
}

bool is_loopback(const std::string &address)
{
    return address.compare(0, 4, "127.") == 0 || address == "::1";
}

std::string key_of(int rank)
{
    return "address/" + std::to_string(rank);
}

// The address by which the others reach this rank: the one towards the first of them
// that named an address outside its machine.
std::string own_address(c10d::Store &store, const nn_group_options &o)
{
    std::string own = address_towards(o.address), best = own;
    store.set(key_of(o.rank), std::vector<uint8_t>(own.begin(), own.end()));
    for (int r = 0; r < o.size; r++) {
        std::vector<uint8_t> bytes = store.get(key_of(r));
        std::string other(bytes.begin(), bytes.end());
        if (!is_loopback(other))
            return address_towards(other);
    }
    return best;
}

void meet(nn_group &g, const nn_group_options &o)
{
    c10d::TCPStoreOptions how;
    how.port = static_cast<uint16_t>(o.port);
    how.isServer = o.rank == 0 && !o.hosted;
    how.waitWorkers = false;
    how.timeout = milliseconds(1000LL * o.timeout);
    if (!how.isServer)
        wait_for_listener(o);
    g.store = c10::make_intrusive<c10d::PrefixStore>(
        o.run, c10::make_intrusive<c10d::TCPStore>(std::string(o.address), how));
    auto options = ProcessGroupGloo::Options::create(how.timeout);
    options->devices.push_back(ProcessGroupGloo::createDeviceForHostname(own_address(*g.store, o)));
    g.gloo = std::make_unique<ProcessGroupGloo>(g.store, o.rank, o.size, options);
}

// ---- collectives of tensors on the CPU ----

void all_reduce(nn_group &g, at::Tensor &t)
{
    std::vector<at::Tensor> list = {t};
    with_others([&] { g.gloo->allreduce(list)->wait(); });
}

struct bucket {
    size_t begin, end;
    at::Tensor flat;
    std::vector<at::Tensor> list;
    c10::intrusive_ptr<c10d::Work> work;
};

bucket pack(const std::vector<at::Tensor> &xs, size_t begin)
{
    bucket b = {begin, begin, {}, {}, {}};
    std::vector<at::Tensor> parts;
    for (int64_t bytes = 0; b.end < xs.size() && bytes < BUCKET; b.end++) {
        if (xs[b.end].scalar_type() != xs[begin].scalar_type())
            break;
        parts.push_back(xs[b.end].reshape({-1}));
        bytes += static_cast<int64_t>(xs[b.end].nbytes());
    }
    b.flat = at::cat(parts).cpu();
    b.list = {b.flat};
    return b;
}

void unpack(const std::vector<at::Tensor> &xs, const bucket &b, double factor)
{
    int64_t at = 0;
    for (size_t i = b.begin; i < b.end; i++) {
        xs[i].copy_(b.flat.narrow(0, at, xs[i].numel()).view(xs[i].sizes()));
        if (factor != 1)
            xs[i].mul_(factor);
        at += xs[i].numel();
    }
}

// Starts a collective of every bucket, then waits for them in turn.
template <class F> void each_bucket(const std::vector<at::Tensor> &xs, double factor, F start)
{
    at::NoGradGuard guard;
    std::vector<bucket> buckets;
    for (size_t i = 0; i < xs.size(); i = buckets.back().end)
        buckets.push_back(pack(xs, i));
    for (bucket &b : buckets)
        b.work = start(b.list);
    for (bucket &b : buckets) {
        with_others([&] { b.work->wait(); });
        unpack(xs, b, factor);
    }
}

// ---- with gradients ----

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// x of all ranks, one after the other.  What is computed from it must be the same on
// every rank: its gradient is then this rank's part times the number of ranks, and
// the mean over ranks of a parameter's gradients that of the whole.
struct gather : public torch::autograd::Function<gather> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, int64_t group)
    {
        nn_group &g = *reinterpret_cast<nn_group *>(group);
        context->saved_data["group"] = group;
        std::vector<at::Tensor> in = {x.detach().cpu().contiguous()};
        std::vector<std::vector<at::Tensor>> out(1);
        for (int r = 0; r < g.size; r++)
            out[0].push_back(at::empty_like(in[0]));
        with_others([&] { g.gloo->allgather(out, in)->wait(); });
        return at::cat(out[0]).to(x.device());
    }

    static tensor_list backward(AutogradContext *context, tensor_list gradients)
    {
        const nn_group &g = *reinterpret_cast<nn_group *>(context->saved_data["group"].toInt());
        int64_t n = gradients[0].size(0) / g.size;
        return {gradients[0].narrow(0, g.rank * n, n).mul(g.size), at::Tensor()};
    }
};

at::Tensor across(const at::Tensor &channels)
{
    return channels.reshape({1, -1, 1, 1});
}

// Count, mean and sum of squared deviations of each channel over all ranks, by the
// pairwise formula of Chan, Golub and LeVeque (1979); rows of C numbers.
at::Tensor joint_moments(nn_group &g, const at::Tensor &x)
{
    int64_t n = x.numel() / x.size(1);
    at::Tensor mean = x.mean({0, 2, 3});
    at::Tensor spread = (x - across(mean)).square().sum({0, 2, 3});
    at::Tensor all = at::zeros({g.size, 3, x.size(1)}, mean.options().device(at::kCPU));
    all[g.rank].copy_(at::stack({at::full_like(mean, static_cast<double>(n)), mean, spread}));
    all_reduce(g, all);
    at::Tensor counts = all.select(1, 0), means = all.select(1, 1);
    at::Tensor count = counts.sum(0), joint = (counts * means).sum(0) / count;
    at::Tensor squares = all.select(1, 2).sum(0) + (counts * (means - joint).square()).sum(0);
    return at::stack({count, joint, squares}).to(x.device());
}

// Batch normalization by the statistics of all ranks' batches together.
struct joint_norm : public torch::autograd::Function<joint_norm> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x,
                              const at::Tensor &weight, const at::Tensor &bias,
                              const at::Tensor &running_mean, const at::Tensor &running_var,
                              double momentum, double eps)
    {
        at::Tensor in = x.to(at::kFloat), moments = joint_moments(*batch_group, in);
        at::Tensor count = moments[0], mean = moments[1],
                   inverse = (moments[2] / count + eps).rsqrt();
        running_mean.mul_(1 - momentum).add_(mean, momentum);
        running_var.mul_(1 - momentum).add_(moments[2] / (count - 1), momentum);
        context->save_for_backward({x, weight, mean, inverse, count});
        at::Tensor scale = inverse * weight, shift = bias - mean * scale;
        return (in * across(scale) + across(shift)).to(x.scalar_type());
    }

    static tensor_list backward(AutogradContext *context, tensor_list gradients)
    {
        auto saved = context->get_saved_variables();
        at::Tensor dy = gradients[0].to(at::kFloat), inverse = saved[3];
        at::Tensor z = (saved[0].to(at::kFloat) - across(saved[2])) * across(inverse);
        at::Tensor sums = at::stack({dy.sum({0, 2, 3}), (dy * z).sum({0, 2, 3})});
        at::Tensor joint = sums.detach().cpu().clone();
        all_reduce(*batch_group, joint);
        joint = joint.to(dy.device()) / saved[4];
        at::Tensor dx = (dy - across(joint[0]) - z * across(joint[1])) * across(inverse * saved[1]);
        return {dx.to(saved[0].scalar_type()), sums[1], sums[0], {}, {}, {}, {}};
    }
};

} // namespace

namespace nn
{

bool has_batch_group() noexcept
{
    return batch_group != nullptr;
}

at::Tensor joint_batch_norm(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                            at::Tensor running_mean, at::Tensor running_var, double momentum,
                            double eps)
{
    return joint_norm::apply(x, weight, bias, running_mean, running_var, momentum, eps);
}

} // namespace nn

nn_group *nn_group_new(const struct nn_group_options *options)
{
    std::unique_ptr<nn_group> g;
    std::string what = std::string("meet the other ranks at '") + options->address + ":" +
                       std::to_string(options->port) + "'";
    int failed = run_net(what.c_str(), [&] {
        g.reset(new nn_group{options->rank, options->size, {}, {}});
        meet(*g, *options);
    });
    return failed ? nullptr : g.release();
}

void nn_group_free(nn_group *group)
{
    if (batch_group == group)
        batch_group = nullptr;
    delete group;
}

int nn_group_all_reduce(nn_group *group, nn_tensor *const *xs, size_t n, enum nn_reduction how)
{
    double factor = how == NN_MEAN ? 1.0 / group->size : 1;
    return run_net("another rank is lost", [&] {
        each_bucket(get_all(xs, n), factor,
                    [&](std::vector<at::Tensor> &list) { return group->gloo->allreduce(list); });
    });
}

int nn_group_broadcast(nn_group *group, nn_tensor *const *xs, size_t n)
{
    return run_net("another rank is lost", [&] {
        each_bucket(get_all(xs, n), 1,
                    [&](std::vector<at::Tensor> &list) { return group->gloo->broadcast(list); });
    });
}

nn_tensor *nn_group_gather(nn_group *group, const nn_tensor *x)
{
    nn_tensor *all = nullptr;
    int failed = run_net("another rank is lost", [&] {
        all = into_scope(gather::apply(get(x), reinterpret_cast<int64_t>(group)));
    });
    return failed ? nullptr : all;
}

void nn_set_batch_group(nn_group *group)
{
    batch_group = group;
}

#else

using namespace nn;

static int absent()
{
    set_error(STATUS_USAGE, "this libtorch was built without c10d and Gloo, or their headers "
                            "(libgloo-dev) are missing: one process only");
    return -1;
}

namespace nn
{

bool has_batch_group() noexcept
{
    return false;
}

at::Tensor joint_batch_norm(const at::Tensor &x, const at::Tensor &, const at::Tensor &, at::Tensor,
                            at::Tensor, double, double)
{
    return x;
}

} // namespace nn

nn_group *nn_group_new(const struct nn_group_options *)
{
    absent();
    return nullptr;
}

void nn_group_free(nn_group *)
{
}

int nn_group_all_reduce(nn_group *, nn_tensor *const *, size_t, enum nn_reduction)
{
    return absent();
}

int nn_group_broadcast(nn_group *, nn_tensor *const *, size_t)
{
    return absent();
}

nn_tensor *nn_group_gather(nn_group *, const nn_tensor *)
{
    absent();
    return nullptr;
}

void nn_set_batch_group(nn_group *)
{
}

#endif
