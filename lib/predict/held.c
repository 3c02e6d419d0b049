#include "predict/held.h"

#include <stdlib.h>
#include <string.h>

#include "core/growing.h"

static bool is_plain(const struct tile_meta *meta)
{
    return meta->scale_x == 1 && meta->scale_y == 1 && meta->count > 0 && meta->source_width > 0 &&
           meta->source_height > 0 && meta->pad_left == 0 && meta->pad_top == 0 && meta->x >= 0 &&
           meta->y >= 0 && meta->x < meta->source_width && meta->y < meta->source_height;
}

/* All of an image have the same type, of which windows are. */
static bool is_next(const struct held *held, const struct tile_meta *meta,
                    const struct array *image)
{
    const struct array *first = held->image.tiles[0].input.image;
    return meta->index == (int64_t)held->image.count && meta->count == held->meta.count &&
           meta->source_width == held->meta.source_width &&
           meta->source_height == held->meta.source_height &&
           strcmp(meta->source, held->meta.source) == 0 && strcmp(meta->id, held->meta.id) == 0 &&
           image->dtype == first->dtype && image->shape[2] == first->shape[2];
}

bool held_takes(const struct held *held, const struct tile_meta *meta, const struct array *image)
{
    if (!is_plain(meta) || image->ndim != 3 || image->shape[0] != (size_t)meta->height ||
        image->shape[1] != (size_t)meta->width || held->image.count == HELD_TILES ||
        held->bytes + array_bytes(image) > HELD_MOST)
        return false;
    return held->image.count ? is_next(held, meta, image) : meta->index == 0;
}

int held_add(struct held *held, struct sample *sample, const struct tile_meta *meta,
             const struct inference_input *input, struct err *err)
{
    size_t n = held->image.count;
    if (n == 0)
        held->meta = *meta;
    held->image.width = held->meta.source_width;
    held->image.height = held->meta.source_height;
    if (growing_room(&held->samples, n, sizeof *held->samples, err) ||
        growing_room(&held->image.tiles, n, sizeof *held->image.tiles, err)) {
        sample_free(sample);
        free(sample);
        return -1;
    }
    held->samples[n] = sample;
    held->image.tiles[n] = (struct rescale_tile){.input = *input, .x = meta->x, .y = meta->y};
    held->image.count++;
    held->bytes += array_bytes(input->image);
    return 0;
}

/* A stream may say what it likes: an image that is larger than its tiles together is not theirs. */
bool held_is_whole(const struct held *held)
{
    if (!held->image.count || (int64_t)held->image.count != held->meta.count)
        return false;
    const struct array *first = held->image.tiles[0].input.image;
    double pixel = (double)(first->shape[2] * dtype_size(first->dtype));
    return (double)held->image.width * (double)held->image.height * pixel <= (double)held->bytes;
}

void held_clear(struct held *held)
{
    for (size_t i = 0; i < held->image.count; i++)
        if (held->image.tiles[i].is_done)
            inference_free(&held->image.tiles[i].result);
    array_free(&held->image.pixels);
    held->image.count = 0;
    held->bytes = 0;
}

void held_free(struct held *held)
{
    held_clear(held);
    free(held->samples);
    free(held->image.tiles);
    *held = (struct held){0};
}
