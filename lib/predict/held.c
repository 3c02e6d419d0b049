#include "predict/held.h"

#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "core/num.h"
#include "tiles/blend.h"

static bool is_plain(const struct tile_meta *meta)
{
    return meta->scale_x == 1 && meta->scale_y == 1 && meta->count > 0 && meta->source_width > 0 &&
           meta->source_height > 0 && meta->pad_left == 0 && meta->pad_top == 0 && meta->x >= 0 &&
           meta->y >= 0 && meta->x < meta->source_width && meta->y < meta->source_height;
}

/* All of an image have the same type, are shown alike, and come from above without a gap. */
static bool is_next(const struct held *held, const struct tile_meta *meta,
                    const struct inference_input *input)
{
    const struct array *image = input->image;
    return meta->index == held->taken && meta->count == held->meta.count &&
           meta->source_width == held->meta.source_width &&
           meta->source_height == held->meta.source_height && meta->y >= held->row &&
           meta->y <= held->bottom && strcmp(meta->source, held->meta.source) == 0 &&
           strcmp(meta->id, held->meta.id) == 0 && image->dtype == held->image.dtype &&
           image->shape[2] == held->image.channels && input->offset == held->like.offset &&
           input->gain == held->like.gain;
}

bool held_takes(const struct held *held, const struct tile_meta *meta,
                const struct inference_input *input)
{
    const struct array *image = input->image;
    if (!is_plain(meta) || image->ndim != 3 || image->shape[0] != (size_t)meta->height ||
        image->shape[1] != (size_t)meta->width)
        return false;
    return held->taken ? is_next(held, meta, input) : meta->index == 0;
}

bool held_is_whole(const struct held *held)
{
    return held->taken > 0 && held->taken == held->meta.count;
}

bool held_is_full(const struct held *held)
{
    return held->bytes >= HELD_MOST || held->count >= HELD_TILES;
}

int64_t held_known(const struct held *held)
{
    return held_is_whole(held) ? held->meta.source_height : held->row;
}

/* ---- tiles ---- */

static void begin_image(struct held *held, const struct tile_meta *meta,
                        const struct inference_input *input)
{
    const struct array *image = input->image;
    held->meta = *meta;
    held->like = *input;
    held->is_cut_so = true;
    held->image = (struct windows_image){.width = meta->source_width,
                                         .height = meta->source_height,
                                         .channels = image->shape[2],
                                         .dtype = image->dtype};
}

static bool is_window(const struct held *held, struct windows_part is)
{
    struct grid windows = windows_over(held->image.width, held->image.height, 1);
    if (held->meta.count != grid_count(&windows))
        return false;
    struct windows_part at = windows_place(&windows, held->taken);
    return at.x == is.x && at.y == is.y && at.width == is.width && at.height == is.height;
}

/* Its pixels that lie in the image. */
static int paste(struct windows_image *image, const struct held_tile *tile, struct err *err)
{
    const struct array *from = tile->input.image;
    size_t bytes = image->channels * dtype_size(image->dtype);
    size_t width = blend_clip(tile->place.x, from->shape[1], image->width).n;
    size_t height = blend_clip(tile->place.y, from->shape[0], image->height).n;
    if (band_extend(&image->rows, tile->place.y + (int64_t)height, err))
        return -1;
    band_paste(&image->rows, tile->place.y, (size_t)tile->place.x * bytes, from->data,
               from->shape[1] * bytes, width * bytes, height);
    return 0;
}

static void note_place(struct held *held, struct windows_part place)
{
    held->is_cut_so = held->is_cut_so && is_window(held, place);
    held->row = place.y;
    if (held->bottom < place.y + place.height)
        held->bottom = place.y + place.height;
    held->taken++;
}

int held_add(struct held *held, struct sample *sample, const struct tile_meta *meta,
             const struct inference_input *input, struct err *err)
{
    struct held_tile tile = {sample, *input, {meta->x, meta->y, meta->width, meta->height}};
    if (!held->taken)
        begin_image(held, meta, input);
    if (growing_room(&held->tiles, held->count, sizeof *held->tiles, err) ||
        (held->is_joined && paste(&held->image, &tile, err))) {
        sample_free(sample);
        free(sample);
        return -1;
    }
    note_place(held, tile.place);
    held->bytes += array_bytes(input->image);
    held->tiles[held->count++] = tile;
    return 0;
}

/* A stream may say what it likes: rows that are larger than their tiles together are not theirs. */
static bool is_covered(const struct held *held)
{
    double row = (double)held->image.rows.row_bytes;
    return row * (double)held_known(held) <= (double)held->bytes;
}

int held_join(struct held *held, struct err *err)
{
    size_t pixel = held->image.channels * dtype_size(held->image.dtype), bytes;
    if (!num_mul((size_t)held->image.width, pixel, &bytes))
        return 1;
    held->image.rows = band_new(bytes);
    if (!is_covered(held))
        return 1;
    held->is_joined = true;
    for (size_t i = 0; i < held->count; i++)
        if (paste(&held->image, &held->tiles[i], err))
            return -1;
    return 0;
}

void held_part(struct held *held)
{
    band_free(&held->image.rows);
    held->is_joined = false;
}

void held_shift(struct held *held, size_t n)
{
    held->count -= n;
    if (held->count > 0)
        memmove(held->tiles, held->tiles + n, held->count * sizeof *held->tiles);
}

void held_clear(struct held *held)
{
    held_part(held);
    *held = (struct held){.tiles = held->tiles};
}

void held_free(struct held *held)
{
    for (size_t i = 0; i < held->count; i++) {
        sample_free(held->tiles[i].sample);
        free(held->tiles[i].sample);
    }
    held_clear(held);
    free(held->tiles);
    held->tiles = NULL;
}
