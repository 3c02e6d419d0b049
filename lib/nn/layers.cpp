// Layers and losses.
#include "nn/fused.hpp"
#include "nn/training.hpp"

using namespace nn;

nn_tensor *nn_relu(const nn_tensor *x)
{
    return make([&] { return at::relu(get(x)); });
}

nn_tensor *nn_gelu(const nn_tensor *x)
{
    return make([&] { return at::gelu(get(x)); });
}

nn_tensor *nn_sigmoid(const nn_tensor *x)
{
    return make([&] { return at::sigmoid(get(x)); });
}

nn_tensor *nn_softmax(const nn_tensor *x, int dim)
{
    return make([&] { return at::softmax(get(x), dim); });
}

nn_tensor *nn_dropout(const nn_tensor *x, double p, bool training)
{
    return make([&] { return training && p > 0 ? train_dropout(get(x), p) : get(x); });
}

nn_tensor *nn_drop_path(const nn_tensor *x, double p, bool training)
{
    return make([&] {
        if (!training || p <= 0)
            return get(x);
        std::vector<int64_t> shape(static_cast<size_t>(get(x).dim()), 1);
        shape[0] = x->t.size(0);
        at::Tensor kept = at::empty(shape, x->t.options().requires_grad(false)).bernoulli_(1 - p);
        return at::mul(x->t, kept.div_(1 - p));
    });
}

namespace
{

int64_t one_if_zero(int value)
{
    return value ? value : 1;
}

struct conv_sizes {
    int64_t stride[2], pad[2], dilation[2], groups;
};

conv_sizes sizes_of(const struct nn_conv &how)
{
    return {{one_if_zero(how.stride_h), one_if_zero(how.stride_w)},
            {how.pad_h, how.pad_w},
            {one_if_zero(how.dilation_h), one_if_zero(how.dilation_w)},
            one_if_zero(how.groups)};
}

} // namespace

nn_tensor *nn_conv2d(const nn_tensor *x, const nn_tensor *weight, const nn_tensor *bias,
                     struct nn_conv how)
{
    return make([&] {
        if (may_train_conv3x3(get(x), get(weight), how))
            return train_conv3x3(x->t, weight->t, maybe(bias), how);
        conv_sizes s = sizes_of(how);
        return at::conv2d(x->t, weight->t, maybe(bias), s.stride, s.pad, s.dilation, s.groups);
    });
}

nn_tensor *nn_linear(const nn_tensor *x, const nn_tensor *weight, const nn_tensor *bias)
{
    return make([&] { return train_linear(get(x), get(weight), maybe(bias)); });
}

nn_tensor *nn_batch_norm(const nn_tensor *x, const nn_tensor *weight, const nn_tensor *bias,
                         nn_tensor *running_mean, nn_tensor *running_var, bool training,
                         double momentum, double eps)
{
    return make([&] {
        if (training && has_batch_group() && weight && bias)
            return joint_batch_norm(get(x), weight->t, bias->t, get(running_mean), get(running_var),
                                    momentum, eps);
        return at::batch_norm(get(x), maybe(weight), maybe(bias), get(running_mean),
                              get(running_var), training, momentum, eps, true);
    });
}

nn_tensor *nn_group_norm(const nn_tensor *x, int64_t groups, const nn_tensor *weight,
                         const nn_tensor *bias, double eps)
{
    // In the precision of its weights: libtorch 1.13's autocast on a CPU leaves it out.
    return make([&] {
        auto type = get(x).scalar_type();
        at::Tensor input = weight ? x->t.to(weight->t.scalar_type()) : x->t;
        return at::group_norm(input, groups, maybe(weight), maybe(bias), eps).to(type);
    });
}

nn_tensor *nn_layer_norm(const nn_tensor *x, const nn_tensor *weight, const nn_tensor *bias,
                         double eps)
{
    return make([&] {
        if (is_plain(get(x)) && weight && bias)
            return layer_norm(x->t, weight->t, bias->t, eps);
        auto like_x = [&](const nn_tensor *t) {
            return t ? c10::optional<at::Tensor>(t->t.to(x->t.scalar_type())) : c10::nullopt;
        };
        return at::layer_norm(x->t, {x->t.size(-1)}, like_x(weight), like_x(bias), eps);
    });
}

nn_tensor *nn_max_pool2d(const nn_tensor *x, int kernel, int stride, int pad)
{
    return make([&] {
        return at::max_pool2d(get(x), {kernel, kernel}, {stride, stride}, {pad, pad});
    });
}

nn_tensor *nn_upsample_bilinear(const nn_tensor *x, int64_t height, int64_t width,
                                bool align_corners)
{
    return make([&] {
        int64_t size[] = {height, width};
        if (is_plain(get(x)) && x->t.dim() == 4 && height > 0 && width > 0)
            return upsample_bilinear(x->t, height, width, align_corners);
        if (x->t.device().is_cpu() && x->t.dim() == 4 && x->t.numel() > 0 && height > 0 &&
            width > 0 && (x->t.scalar_type() == at::kFloat || x->t.scalar_type() == at::kBFloat16))
            return train_upsample(x->t, height, width, align_corners);
        return at::upsample_bilinear2d(get(x), at::IntArrayRef(size, 2), align_corners,
                                       c10::nullopt, c10::nullopt);
    });
}

nn_tensor *nn_upsample_nearest(const nn_tensor *x, int64_t height, int64_t width)
{
    return make([&] {
        int64_t size[] = {height, width};
        return at::upsample_nearest2d(get(x), at::IntArrayRef(size, 2));
    });
}

nn_tensor *nn_attention(const nn_tensor *q, const nn_tensor *k, const nn_tensor *v,
                        const nn_tensor *mask, double scale)
{
    return make([&] {
        at::Tensor scores = train_product(get(q) * scale, get(k).transpose(-2, -1));
        if (mask)
            scores = at::add(scores, mask->t);
        return train_product(at::softmax(scores, -1), get(v));
    });
}

// ---- losses ----

nn_tensor *nn_cross_entropy(const nn_tensor *logits, const nn_tensor *target,
                            const nn_tensor *class_weight, int64_t ignore)
{
    return make([&] {
        return at::cross_entropy_loss(get(logits), get(target), maybe(class_weight),
                                      at::Reduction::Mean, ignore);
    });
}

nn_tensor *nn_bce_with_logits(const nn_tensor *logits, const nn_tensor *target)
{
    return make([&] { return at::binary_cross_entropy_with_logits(get(logits), get(target)); });
}

nn_tensor *nn_one_hot(const nn_tensor *target, int64_t classes)
{
    return make([&] { return at::one_hot(get(target), classes).movedim(-1, 1).to(at::kFloat); });
}
