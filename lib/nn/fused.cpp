// Prepared networks' own passes over channels-last images and rows: group norm with
// what follows it, layer norm, bilinear upsampling, attention.
#include "nn/fused.hpp"

#include <cmath>
#include <cstring>

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include "nn/kernels.h"
#include "nn/plan.h"

namespace nn
{

namespace
{

bool is_bf16(const at::Tensor &t)
{
    return t.scalar_type() == at::kBFloat16;
}

// A row of floats: of a float tensor as it lies in memory, else converted into room.
const float *read_row(const at::Tensor &t, int64_t at, int64_t n, float *room)
{
    if (!is_bf16(t))
        return static_cast<const float *>(t.data_ptr()) + at;
    kernel_floats_from_bf16(room, static_cast<const uint16_t *>(t.data_ptr()) + at,
                            static_cast<size_t>(n));
    return room;
}

float *place_of(const at::Tensor &t, int64_t at, float *room)
{
    return is_bf16(t) ? room : static_cast<float *>(t.data_ptr()) + at;
}

void finish_row(const at::Tensor &t, int64_t at, int64_t n, const float *room)
{
    if (is_bf16(t))
        kernel_bf16_from_floats(static_cast<uint16_t *>(t.data_ptr()) + at, room,
                                static_cast<size_t>(n));
}

at::Tensor like_channels_last(const at::Tensor &x, at::IntArrayRef shape)
{
    return at::empty(shape, x.options().memory_format(at::MemoryFormat::ChannelsLast));
}

constexpr int64_t rows_at_a_time = 64;

} // namespace

float *thread_room(int64_t n)
{
    static thread_local std::vector<float> room;
    if (room.size() < static_cast<size_t>(n) + 16)
        room.resize(static_cast<size_t>(n) + 16);
    auto address = reinterpret_cast<uintptr_t>(room.data());
    return reinterpret_cast<float *>((address + 63) & ~static_cast<uintptr_t>(63));
}

bool is_plain(const at::Tensor &x)
{
    return !c10::GradMode::is_enabled() && x.device().is_cpu() && x.numel() > 0 &&
           (x.scalar_type() == at::kFloat || is_bf16(x));
}

// ---- group normalization ----

namespace
{

struct group_sums {
    std::vector<double> sum, squares;
};

// Sums of each channel over the pixels of image i.
group_sums channel_sums(const at::Tensor &x, int64_t i, int64_t pixels, int64_t channels)
{
    size_t c = static_cast<size_t>(channels);
    group_sums total{std::vector<double>(c), std::vector<double>(c)};
    std::vector<float> part(2 * c);
    float *room = thread_room(rows_at_a_time * channels);
    for (int64_t first = 0; first < pixels; first += rows_at_a_time) {
        int64_t rows = std::min(rows_at_a_time, pixels - first);
        const float *from = read_row(x, (i * pixels + first) * channels, rows * channels, room);
        std::fill(part.begin(), part.end(), 0.0f);
        kernel_moments(from, static_cast<size_t>(rows), c, part.data(), part.data() + c);
        for (size_t k = 0; k < c; k++) {
            total.sum[k] += part[k];
            total.squares[k] += part[c + k];
        }
    }
    return total;
}

// y = x scale + shift does the whole normalization.
void scales_of(const group_sums &sums, int64_t pixels, int64_t groups, const float *weight,
               const float *bias, double eps, float *scale, float *shift)
{
    size_t channels = sums.sum.size(), size = channels / static_cast<size_t>(groups);
    double count = static_cast<double>(pixels) * static_cast<double>(size);
    for (size_t first = 0; first < channels; first += size) {
        double sum = 0, squares = 0;
        for (size_t c = first; c < first + size; c++) {
            sum += sums.sum[c];
            squares += sums.squares[c];
        }
        double mean = sum / count, variance = std::max(0.0, squares / count - mean * mean);
        double factor = 1 / std::sqrt(variance + eps);
        for (size_t c = first; c < first + size; c++) {
            scale[c] = static_cast<float>(factor * weight[c]);
            shift[c] = static_cast<float>(bias[c] - mean * factor * weight[c]);
        }
    }
}

void scale_pixels(const at::Tensor &y, const at::Tensor &x, const at::Tensor &residual, int64_t at,
                  int64_t pixels, int64_t channels, const float *scale, const float *shift,
                  bool relu)
{
    float *room = thread_room(3 * rows_at_a_time * channels);
    float *room2 = room + rows_at_a_time * channels;
    float *room3 = room2 + rows_at_a_time * channels;
    for (int64_t first = 0; first < pixels; first += rows_at_a_time) {
        int64_t rows = std::min(rows_at_a_time, pixels - first);
        int64_t start = at + first * channels, n = rows * channels;
        const float *from = read_row(x, start, n, room);
        const float *added = residual.defined() ? read_row(residual, start, n, room2) : nullptr;
        float *to = place_of(y, start, room3);
        kernel_scale_rows(to, from, added, static_cast<size_t>(rows), static_cast<size_t>(channels),
                          scale, shift, relu);
        finish_row(y, start, n, to);
    }
}

} // namespace

static at::Tensor group_norm(const at::Tensor &input, int64_t groups, const at::Tensor &weight,
                             const at::Tensor &bias, double eps, bool relu, const at::Tensor &added)
{
    at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast), residual = added;
    if (residual.defined())
        residual = residual.to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    int64_t channels = x.size(1), pixels = x.size(2) * x.size(3);
    at::Tensor y = like_channels_last(x, x.sizes());
    at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
        std::vector<float> scale(static_cast<size_t>(2 * channels));
        float *shift = scale.data() + channels;
        for (int64_t i = begin; i < end; i++) {
            scales_of(channel_sums(x, i, pixels, channels), pixels, groups,
                      static_cast<const float *>(weight.data_ptr()),
                      static_cast<const float *>(bias.data_ptr()), eps, scale.data(), shift);
            scale_pixels(y, x, residual, i * pixels * channels, pixels, channels, scale.data(),
                         shift, relu);
        }
    });
    return y;
}

static at::Tensor scale_channels(const at::Tensor &input, const at::Tensor &scale,
                                 const at::Tensor &shift, bool relu)
{
    at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor y = like_channels_last(x, x.sizes());
    int64_t channels = x.size(1), pixels = x.numel() / channels;
    at::parallel_for(0, pixels, rows_at_a_time, [&](int64_t begin, int64_t end) {
        scale_pixels(y, x, at::Tensor(), begin * channels, end - begin, channels,
                     static_cast<const float *>(scale.data_ptr()),
                     static_cast<const float *>(shift.data_ptr()), relu);
    });
    return y;
}

// ---- layer normalization ----

at::Tensor layer_norm(const at::Tensor &input, const at::Tensor &weight, const at::Tensor &bias,
                      double eps)
{
    at::Tensor x = input.contiguous(), y = at::empty_like(x);
    at::Tensor w = weight.to(at::kFloat), b = bias.to(at::kFloat);
    int64_t n = x.size(-1), rows = x.numel() / n;
    at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
        std::vector<float> room(static_cast<size_t>(2 * n));
        for (int64_t row = begin; row < end; row++) {
            const float *from = read_row(x, row * n, n, room.data());
            float *to = place_of(y, row * n, room.data() + n);
            kernel_layer_norm(to, from, static_cast<size_t>(n),
                              static_cast<const float *>(w.data_ptr()),
                              static_cast<const float *>(b.data_ptr()), static_cast<float>(eps));
            finish_row(y, row * n, n, to);
        }
    });
    return y;
}

// ---- bilinear upsampling ----

namespace
{

struct axis {
    std::vector<int32_t> left, step;
    std::vector<float> t;
};

// Where each of `out` positions lies between `in` ones.
axis axis_of(int64_t in, int64_t out, bool align_corners)
{
    size_t n = static_cast<size_t>(out);
    axis a{std::vector<int32_t>(n), std::vector<int32_t>(n), std::vector<float>(n)};
    float ratio = align_corners
                      ? (out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0)
                      : static_cast<float>(in) / static_cast<float>(out);
    for (size_t i = 0; i < n; i++) {
        float at = align_corners ? ratio * static_cast<float>(i)
                                 : std::max(ratio * (static_cast<float>(i) + 0.5f) - 0.5f, 0.0f);
        int64_t left = std::min(static_cast<int64_t>(at), in - 1);
        a.left[i] = static_cast<int32_t>(left);
        a.step[i] = left + 1 < in;
        a.t[i] = a.step[i] ? at - static_cast<float>(left) : 0;
    }
    return a;
}

} // namespace

at::Tensor upsample_bilinear(const at::Tensor &input, int64_t height, int64_t width,
                             bool align_corners)
{
    at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    int64_t channels = x.size(1), in_height = x.size(2), row = x.size(3) * channels;
    at::Tensor y = like_channels_last(x, {x.size(0), channels, height, width});
    axis vertical = axis_of(in_height, height, align_corners);
    axis horizontal = axis_of(x.size(3), width, align_corners);
    at::parallel_for(0, x.size(0) * height, 8, [&](int64_t begin, int64_t end) {
        float *upper = thread_room(3 * row + width * channels), *lower = upper + row,
              *blended = lower + row;
        for (int64_t i = begin; i < end; i++) {
            size_t line = static_cast<size_t>(i % height);
            int64_t top = (i / height * in_height + vertical.left[line]) * row;
            int64_t bottom = top + vertical.step[line] * row;
            kernel_blend(blended, read_row(x, top, row, upper), read_row(x, bottom, row, lower),
                         vertical.t[line], static_cast<size_t>(row));
            float *to = place_of(y, i * width * channels, blended + row);
            kernel_stretch_row(to, blended, horizontal.left.data(), horizontal.step.data(),
                               horizontal.t.data(), static_cast<size_t>(width),
                               static_cast<size_t>(channels));
            finish_row(y, i * width * channels, width * channels, to);
        }
    });
    return y;
}

// ---- attention ----

namespace
{

// One of q, k, v of one head as floats; its rows are `stride` apart.
const float *head_rows(const at::Tensor &qkv, int64_t at, int64_t n, int64_t d, int64_t *stride,
                       float *room)
{
    int64_t row = qkv.size(2);
    *stride = is_bf16(qkv) ? d : row;
    if (!is_bf16(qkv))
        return static_cast<const float *>(qkv.data_ptr()) + at;
    for (int64_t i = 0; i < n; i++)
        read_row(qkv, at + i * row, d, room + i * d);
    return room;
}

} // namespace

static at::Tensor joined_attention(const at::Tensor &joined, int64_t heads, double scale,
                                   const at::Tensor &mask)
{
    at::Tensor qkv = joined.contiguous(), m;
    int64_t batch = qkv.size(0), n = qkv.size(1), width = qkv.size(2) / 3, d = width / heads;
    at::Tensor y = at::empty({batch, n, width}, qkv.options());
    if (mask.defined())
        m = mask.to(at::kFloat).expand({batch, heads, n, n});
    if (mask.defined() && m.stride(3) != 1)
        m = m.contiguous();
    size_t un = static_cast<size_t>(n), ud = static_cast<size_t>(d);
    at::parallel_for(0, batch * heads, 1, [&](int64_t begin, int64_t end) {
        int64_t part = is_bf16(qkv) ? n * d : 0;
        auto scratch_size = static_cast<int64_t>(kernel_attention_scratch(un, ud));
        float *scratch = thread_room(scratch_size + 4 * part);
        float *room = scratch + scratch_size, *out = room + 3 * part;
        for (int64_t i = begin; i < end; i++) {
            int64_t b = i / heads, h = i % heads, stride;
            int64_t at = b * n * 3 * width + h * d;
            struct kernel_head head = {};
            head.n = un, head.d = ud, head.scale = static_cast<float>(scale);
            head.q = head_rows(qkv, at, n, d, &stride, room);
            head.k = head_rows(qkv, at + width, n, d, &stride, room + part);
            head.v = head_rows(qkv, at + 2 * width, n, d, &stride, room + 2 * part);
            head.stride = static_cast<size_t>(stride);
            if (mask.defined()) {
                head.mask =
                    static_cast<const float *>(m.data_ptr()) + b * m.stride(0) + h * m.stride(1);
                head.mask_stride = static_cast<size_t>(m.stride(2));
            }
            int64_t to = b * n * width + h * d;
            head.out = place_of(y, to, out);
            head.out_stride = static_cast<size_t>(is_bf16(y) ? d : width);
            kernel_attention(&head, scratch);
            for (int64_t row = 0; is_bf16(y) && row < n; row++)
                finish_row(y, to + row * width, d, out + row * d);
        }
    });
    return y;
}

} // namespace nn

using namespace nn;

nn_tensor *nn_group_norm_fused(const nn_tensor *x, int64_t groups, const nn_tensor *weight,
                               const nn_tensor *bias, double eps, enum nn_activation activation,
                               const nn_tensor *residual)
{
    return make([&] {
        at::Tensor added = residual ? residual->t : at::Tensor();
        bool relu = activation == NN_RELU;
        if (activation != NN_GELU && is_plain(get(x)) && x->t.dim() == 4)
            return group_norm(x->t, groups, get(weight), get(bias), eps, relu, added);
        at::Tensor y = at::group_norm(get(x), groups, get(weight).to(x->t.scalar_type()),
                                      get(bias).to(x->t.scalar_type()), eps);
        if (added.defined())
            y = at::add(y, added);
        return relu ? at::relu(y) : activation == NN_GELU ? at::gelu(y) : y;
    });
}

nn_tensor *nn_batch_norm_fused(const nn_tensor *x, const nn_tensor *weight, const nn_tensor *bias,
                               const nn_tensor *mean, const nn_tensor *var, double eps,
                               enum nn_activation activation)
{
    return make([&] {
        at::Tensor scale = (get(weight) / (get(var) + eps).sqrt()).contiguous();
        at::Tensor shift = (get(bias) - get(mean) * scale).contiguous();
        if (is_plain(get(x)) && x->t.dim() == 4 && activation != NN_GELU)
            return scale_channels(x->t, scale, shift, activation == NN_RELU);
        auto across = [&](const at::Tensor &t) {
            return t.to(x->t.scalar_type()).reshape({1, -1, 1, 1});
        };
        at::Tensor y = at::add(at::mul(x->t, across(scale)), across(shift));
        return activation == NN_RELU ? at::relu(y) : activation == NN_GELU ? at::gelu(y) : y;
    });
}

nn_tensor *nn_attention_joined(const nn_tensor *qkv, int heads, double scale, const nn_tensor *mask)
{
    return make([&] {
        const at::Tensor &x = get(qkv);
        if (is_plain(x))
            return joined_attention(x, heads, scale, mask ? mask->t : at::Tensor());
        int64_t batch = x.size(0), n = x.size(1), width = x.size(2) / 3;
        at::Tensor parts = x.reshape({batch, n, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});
        at::Tensor scores = at::matmul(parts[0] * scale, parts[1].transpose(-2, -1));
        if (mask)
            scores = at::add(scores, mask->t);
        at::Tensor mixed = at::matmul(at::softmax(scores, -1), parts[2]);
        return mixed.transpose(1, 2).reshape({batch, n, width});
    });
}
