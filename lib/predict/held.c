#include "predict/held.h"

#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "tiles/blend.h"

static bool is_plain(const struct tile_meta *meta)
{
    return meta->scale_x == 1 && meta->scale_y == 1 && meta->count > 0 && meta->source_width > 0 &&
           meta->source_height > 0 && meta->pad_left == 0 && meta->pad_top == 0 && meta->x >= 0 &&
           meta->y >= 0 && meta->x < meta->source_width && meta->y < meta->source_height;
}

/* All of an image have the same type, are shown alike, and come from above. */
static bool is_next(const struct held *held, const struct tile_meta *meta,
                    const struct inference_input *input)
{
    const struct held_tile *first = &held->tiles[0], *last = &held->tiles[held->count - 1];
    const struct array *image = input->image, *like = first->input.image;
    return meta->index == (int64_t)held->count && meta->count == held->meta.count &&
           meta->source_width == held->meta.source_width &&
           meta->source_height == held->meta.source_height && meta->y >= last->place.y &&
           strcmp(meta->source, held->meta.source) == 0 && strcmp(meta->id, held->meta.id) == 0 &&
           image->dtype == like->dtype && image->shape[2] == like->shape[2] &&
           input->offset == first->input.offset && input->gain == first->input.gain;
}

bool held_takes(const struct held *held, const struct tile_meta *meta,
                const struct inference_input *input)
{
    const struct array *image = input->image;
    if (!is_plain(meta) || image->ndim != 3 || image->shape[0] != (size_t)meta->height ||
        image->shape[1] != (size_t)meta->width || held->count == HELD_TILES ||
        held->bytes + array_bytes(image) > HELD_MOST)
        return false;
    return held->count ? is_next(held, meta, input) : meta->index == 0;
}

int held_add(struct held *held, struct sample *sample, const struct tile_meta *meta,
             const struct inference_input *input, struct err *err)
{
    size_t n = held->count;
    if (n == 0)
        held->meta = *meta;
    if (growing_room(&held->tiles, n, sizeof *held->tiles, err)) {
        sample_free(sample);
        free(sample);
        return -1;
    }
    held->tiles[n] =
        (struct held_tile){sample, *input, {meta->x, meta->y, meta->width, meta->height}};
    held->count++;
    held->bytes += array_bytes(input->image);
    return 0;
}

/* A stream may say what it likes: an image that is larger than its tiles together is not theirs. */
bool held_is_whole(const struct held *held)
{
    if (!held->count || (int64_t)held->count != held->meta.count)
        return false;
    const struct array *first = held->tiles[0].input.image;
    double pixel = (double)(first->shape[2] * dtype_size(first->dtype));
    return (double)held->meta.source_width * (double)held->meta.source_height * pixel <=
           (double)held->bytes;
}

/* Its pixels that lie in the image. */
static void paste(struct array *pixels, const struct held_tile *tile)
{
    const struct array *from = tile->input.image;
    size_t bytes = from->shape[2] * dtype_size(from->dtype);
    size_t x = (size_t)tile->place.x, y = (size_t)tile->place.y;
    size_t width = blend_clip(tile->place.x, from->shape[1], (int64_t)pixels->shape[1]).n;
    size_t height = blend_clip(tile->place.y, from->shape[0], (int64_t)pixels->shape[0]).n;
    for (size_t row = 0; row < height; row++)
        memcpy((char *)pixels->data + ((y + row) * pixels->shape[1] + x) * bytes,
               (const char *)from->data + row * from->shape[1] * bytes, width * bytes);
}

int held_join(const struct held *held, struct array *pixels, struct err *err)
{
    const struct array *like = held->tiles[0].input.image;
    size_t shape[] = {(size_t)held->meta.source_height, (size_t)held->meta.source_width,
                      like->shape[2]};
    if (array_new(pixels, like->dtype, 3, shape, err))
        return -1;
    for (size_t i = 0; i < held->count; i++)
        paste(pixels, &held->tiles[i]);
    return 0;
}

bool held_is_cut_so(const struct held *held, const struct grid *windows)
{
    if ((int64_t)held->count != grid_count(windows))
        return false;
    for (size_t i = 0; i < held->count; i++) {
        struct windows_part at = windows_place(windows, (int64_t)i), is = held->tiles[i].place;
        if (at.x != is.x || at.y != is.y || at.width != is.width || at.height != is.height)
            return false;
    }
    return true;
}

void held_clear(struct held *held)
{
    held->count = 0;
    held->bytes = 0;
}

void held_free(struct held *held)
{
    free(held->tiles);
    *held = (struct held){0};
}
