#include "image/mask_view.h"

#include <stdlib.h>
#include <string.h>

#define NEARLY_GRAY 48 /* what the channels of a gray JPEG may differ by */

static uint32_t sample_at(const void *pixels, int bits, size_t i)
{
    switch (bits) {
    case 8:
        return ((const uint8_t *)pixels)[i];
    case 16:
        return ((const uint16_t *)pixels)[i];
    default:
        return ((const uint32_t *)pixels)[i];
    }
}

static void put_sample(void *pixels, int bits, size_t i, uint32_t value)
{
    switch (bits) {
    case 8:
        ((uint8_t *)pixels)[i] = (uint8_t)value;
        break;
    case 16:
        ((uint16_t *)pixels)[i] = (uint16_t)value;
        break;
    default:
        ((uint32_t *)pixels)[i] = value;
    }
}

static bool is_gray(const struct mask_view *view, const void *row, size_t pixel)
{
    int bits = view->info->bits, colors = image_colors(view->info);
    size_t at = pixel * (size_t)view->info->channels;
    uint32_t first = sample_at(row, bits, at);
    for (int c = 1; c < colors; c++) {
        uint32_t other = sample_at(row, bits, at + (size_t)c);
        uint32_t difference = other > first ? other - first : first - other;
        if (difference > (view->is_lossy ? NEARLY_GRAY : 0))
            return false;
    }
    return true;
}

/* Of nearly gray pixels the second channel, green, is nearest to their luma. */
static bool take_first(const struct mask_view *view, const void *row, void *to)
{
    const struct image_info *info = view->info;
    size_t channels = (size_t)info->channels, width = (size_t)info->width;
    size_t chosen = view->is_lossy && channels >= 3 ? 1 : 0;
    if (channels == 1) {
        memcpy(to, row, width * (size_t)(info->bits / 8));
        return true;
    }
    for (size_t x = 0; x < width; x++) {
        if (!is_gray(view, row, x))
            return false;
        put_sample(to, info->bits, x, sample_at(row, info->bits, x * channels + chosen));
    }
    return true;
}

static void hide_transparent(const struct mask_view *view, const void *row, void *to)
{
    const struct image_info *info = view->info;
    size_t channels = (size_t)info->channels;
    for (size_t x = 0; x < (size_t)info->width; x++)
        if (sample_at(row, info->bits, x * channels + channels - 1) == 0)
            put_sample(to, info->bits, x, 0);
}

static void take_alpha(const struct mask_view *view, const void *row, void *to)
{
    const struct image_info *info = view->info;
    size_t channels = (size_t)info->channels;
    for (size_t x = 0; x < (size_t)info->width; x++)
        put_sample(to, info->bits, x, sample_at(row, info->bits, x * channels + channels - 1));
}

static void take_grays(const struct mask_view *view, const uint8_t *row, uint8_t *to)
{
    for (size_t x = 0; x < (size_t)view->info->width; x++)
        to[x] = view->palette->transparent[row[x]] ? 0 : view->palette->colors[row[x]][0];
}

static void take_colored(const struct mask_view *view, const void *row, void *to)
{
    const struct image_info *info = view->info;
    size_t channels = (size_t)info->channels;
    uint32_t white = info->bits == 8 ? 255 : 65535;
    for (size_t x = 0; x < (size_t)info->width; x++) {
        uint32_t any = 0;
        for (size_t c = 0; c < (size_t)image_colors(info); c++)
            any |= sample_at(row, info->bits, x * channels + c);
        if (info->has_alpha && sample_at(row, info->bits, x * channels + channels - 1) == 0)
            any = 0;
        put_sample(to, info->bits, x, any ? white : 0);
    }
}

bool mask_view_row(const struct mask_view *view, const void *row, void *to)
{
    switch (view->kind) {
    case MASK_VIEW_ALPHA:
        take_alpha(view, row, to);
        return true;
    case MASK_VIEW_GRAYS:
        take_grays(view, row, to);
        return true;
    case MASK_VIEW_COLORED:
        take_colored(view, row, to);
        return true;
    case MASK_VIEW_VISIBLE:
        if (!take_first(view, row, to))
            return false;
        hide_transparent(view, row, to);
        return true;
    default:
        return take_first(view, row, to);
    }
}

/* ---- choosing a view ---- */

/* What is wholly transparent counts as black. */
static void note_color(struct mask_colors *colors, const uint32_t *pixel, bool has_alpha)
{
    static const uint32_t black[3];
    if (has_alpha && pixel[3] == 0)
        pixel = black;
    for (int i = 0; i < colors->count; i++)
        if (memcmp(colors->found[i], pixel, 3 * sizeof *pixel) == 0)
            return;
    if (colors->count < 3)
        memcpy(colors->found[colors->count++], pixel, 3 * sizeof *pixel);
}

void mask_colors_row(struct mask_colors *colors, const struct image_info *info, const void *row)
{
    int channels = image_colors(info) < 3 ? image_colors(info) : 3;
    size_t step = (size_t)info->channels;
    for (size_t x = 0; x < (size_t)info->width; x++) {
        uint32_t pixel[4] = {0};
        for (int c = 0; c < channels; c++)
            pixel[c] = sample_at(row, info->bits, x * step + (size_t)c);
        if (info->has_alpha)
            pixel[3] = sample_at(row, info->bits, x * step + step - 1);
        if (!colors->seen)
            memcpy(colors->first, pixel, sizeof pixel);
        colors->seen = true;
        colors->colors_vary |= memcmp(pixel, colors->first, 3 * sizeof *pixel) != 0;
        colors->alpha_varies |= pixel[3] != colors->first[3];
        note_color(colors, pixel, info->has_alpha);
    }
}

bool mask_colors_are_two(const struct mask_colors *colors)
{
    static const uint32_t black[3];
    return colors->count == 2 && (memcmp(colors->found[0], black, sizeof black) == 0 ||
                                  memcmp(colors->found[1], black, sizeof black) == 0);
}
