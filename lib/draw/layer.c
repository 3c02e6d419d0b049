#include "draw/layer.h"

#include <stdlib.h>

#include "pixels/normalize.h"

static void shrink(struct layer *layer, int64_t max_side)
{
    int64_t side = layer->info.width > layer->info.height ? layer->info.width : layer->info.height;
    layer->factor = max_side && side > max_side ? (size_t)((side - 1) / max_side + 1) : 1;
    layer->width = ((size_t)layer->info.width - 1) / layer->factor + 1;
    layer->height = ((size_t)layer->info.height - 1) / layer->factor + 1;
}

static int allocate(struct layer *layer, size_t pixel_bytes, size_t kept, struct err *err)
{
    size_t row = (size_t)layer->info.width * pixel_bytes;
    layer->kept = kept;
    layer->raw = malloc(image_row_bytes(&layer->info));
    layer->block = malloc(row * layer->factor);
    layer->rows = malloc(layer->width * pixel_bytes * kept);
    return layer->raw && layer->block && layer->rows ? 0 : err_memory(err, "rows");
}

void layer_close(struct layer *layer)
{
    image_close(layer->reader);
    mask_close(&layer->mask);
    free(layer->raw);
    free(layer->block);
    free(layer->rows);
    free(layer->values);
}

static size_t rows_of_block(const struct layer *layer)
{
    size_t left = (size_t)layer->info.height - layer->next * layer->factor;
    return left < layer->factor ? left : layer->factor;
}

/* ---- masks ---- */

int layer_open_mask(struct layer *layer, const char *path, const struct layer *image, int line,
                    struct err *err)
{
    *layer = (struct layer){.path = path};
    if (mask_open(&layer->mask, path, err))
        return -1;
    layer->info = *layer->mask.info;
    if (layer->info.width != image->info.width || layer->info.height != image->info.height)
        return err_set(err, STATUS_DATA, "read '%s': %lld x %lld pixels, the image has %lld x %lld",
                       path, (long long)layer->info.width, (long long)layer->info.height,
                       (long long)image->info.width, (long long)image->info.height);
    layer->factor = image->factor;
    layer->width = image->width;
    layer->height = image->height;
    if (mask_examine(&layer->mask, err))
        return -1;
    return allocate(layer, sizeof(uint32_t), 2 * (size_t)line + 1, err);
}

static int next_labels(struct layer *mask, struct err *err)
{
    size_t rows = rows_of_block(mask), width = (size_t)mask->info.width;
    uint32_t *block = mask->block;
    if (mask_read32(&mask->mask, (int64_t)rows, block, err))
        return -1;
    if (mask->keep)
        mask->keep(mask->user, mask->next * mask->factor, rows, block);
    uint32_t *to = (uint32_t *)mask->rows + mask->next++ % mask->kept * mask->width;
    draw_shrink_labels(block, width, rows, mask->factor, to);
    return 0;
}

int layer_rows_around(struct layer *mask, size_t y, int line, const uint32_t **rows,
                      struct err *err)
{
    while (mask->next < mask->height && mask->next <= y + (size_t)line)
        if (next_labels(mask, err))
            return -1;
    for (int dy = -line; dy <= line; dy++) {
        int64_t at = (int64_t)y + dy;
        bool inside = at >= 0 && at < (int64_t)mask->height;
        rows[dy + line] =
            inside ? (uint32_t *)mask->rows + (size_t)at % mask->kept * mask->width : NULL;
    }
    return 0;
}

/* ---- images ---- */

static int next_values(struct layer *image, struct err *err)
{
    const struct image_info *info = &image->info;
    if (image_read_rows(image->reader, 1, image->raw, err))
        return -1;
    draw_values(image->raw, (size_t)info->width, info->channels, info->bits, info->is_label,
                image->colors, image->values);
    return 0;
}

static int count_values(struct layer *image, struct normalize *range, bool refine, struct err *err)
{
    if (image_rewind(image->reader, err))
        return -1;
    for (int64_t y = 0; y < image->info.height; y++) {
        if (next_values(image, err))
            return -1;
        (refine ? normalize_refine : normalize_count)(
            range, image->values, (size_t)image->info.width * (size_t)image->colors);
    }
    return image_rewind(image->reader, err);
}

static int find_range(struct layer *image, const double percentiles[2], struct err *err)
{
    struct normalize range;
    if (normalize_new(&range, DTYPE_F32, err))
        return -1;
    int result = count_values(image, &range, false, err);
    if (result == 0)
        result = normalize_choose(&range, percentiles[0], percentiles[1], err);
    if (result < 0)
        err_prefix(err, "read '%s'", image->path);
    if (result > 0)
        result = count_values(image, &range, true, err);
    if (result == 0)
        normalize_range(&range, &image->low, &image->high);
    normalize_free(&range);
    return result;
}

int layer_open_image(struct layer *layer, const char *path, const struct layer_options *options,
                     struct err *err)
{
    *layer = (struct layer){.path = path, .low = 0, .high = 255};
    if (image_open(&layer->reader, path, err))
        return -1;
    layer->info = *image_info(layer->reader);
    shrink(layer, options->max_side);
    layer->colors = image_colors(&layer->info) == 3 ? 3 : 1;
    layer->values = malloc((size_t)layer->info.width * 3 * sizeof *layer->values);
    if (!layer->values)
        return err_memory(err, "rows");
    if (allocate(layer, 3, 1, err))
        return -1;
    bool stretch = options->stretch || layer->info.bits > 8;
    return stretch ? find_range(layer, options->range, err) : 0;
}

int layer_next_row(struct layer *image, struct err *err)
{
    size_t rows = rows_of_block(image), width = (size_t)image->info.width;
    uint8_t *block = image->block;
    for (size_t y = 0; y < rows; y++) {
        if (next_values(image, err))
            return -1;
        draw_display(image->values, width, image->colors, image->low, image->high,
                     block + 3 * y * width);
    }
    if (image->keep)
        image->keep(image->user, image->next * image->factor, rows, block);
    image->next++;
    draw_shrink_rgb(block, width, rows, image->factor, image->rows);
    return 0;
}
