#include "draw/draw.h"

#include <math.h>
#include <string.h>

#include "core/target.h"

#define COLORS 7

static const struct color palette[COLORS] = {
    {230, 159, 0}, {86, 180, 233}, {0, 158, 115},   {240, 228, 66},
    {213, 94, 0},  {0, 114, 178},  {204, 121, 167},
};

const struct color draw_true_positive = {86, 180, 233};
const struct color draw_false_positive = {213, 94, 0};
const struct color draw_false_negative = {240, 228, 66};

/* Colors that people with color blindness tell apart (M. Okabe and K. Ito,
 * Color Universal Design, 2008): 1 and 255, a mask's foreground, are the first;
 * labels of instances go round. */
static struct color label_color(uint32_t label)
{
    return palette[label == 255 ? 0 : (label - 1) % COLORS];
}

int draw_line_width(size_t width, size_t height)
{
    size_t side = width > height ? width : height;
    return side < 600 * (DRAW_MAX_LINE - 1) ? 1 + (int)(side / 600) : DRAW_MAX_LINE;
}

/* ---- outlines ---- */

CLONES(static, void, mark_differences,
       (const uint32_t *labels, const uint32_t *other, size_t width, uint8_t *on),
       (labels, other, width, on))
{
    for (size_t x = 0; x < width; x++)
        on[x] |= labels[x] != other[x];
}

CLONES(static, void, unmark_background, (const uint32_t *labels, size_t width, uint8_t *on),
       (labels, width, on))
{
    for (size_t x = 0; x < width; x++)
        on[x] &= labels[x] != 0;
}

/* Half the width of a disk of that radius at a distance, at most the radius, from its
 * middle; a little more than the radius counts, so that small disks are round. */
static int reach(int radius, int distance)
{
    double room = (radius + 0.3) * (radius + 0.3) - (double)distance * distance;
    return (int)sqrt(room);
}

/* Where two labels meet in a row: whatever the middle row's label is there, one of them
 * is another one. */
CLONES(static, void, mark_steps, (const uint32_t *row, size_t width, uint8_t *on), (row, width, on))
{
    for (size_t x = 1; x + 1 < width; x++)
        on[x] |= (row[x] != row[x - 1]) | (row[x] != row[x + 1]);
    on[0] |= width > 1 && row[0] != row[1];
    on[width - 1] |= width > 1 && row[width - 1] != row[width - 2];
}

CLONES(static, void, widen, (const uint8_t *restrict from, size_t width, uint8_t *restrict to),
       (from, width, to))
{
    for (size_t x = 1; x + 1 < width; x++)
        to[x] = from[x - 1] | from[x] | from[x + 1];
    to[0] = from[0] | (width > 1 && from[1]);
    to[width - 1] = from[width - 1] | (width > 1 && from[width - 2]);
}

/* Steps of the rows as far as the disk reaches about each: the middle ones are widened
 * with those that come after them. */
static void mark_reached_steps(const uint32_t *const *rows, int radius, size_t width, uint8_t *on)
{
    uint8_t *marked = on, *spare = on + width, *swap;
    for (int d = 0, across = radius; across > 0; d++) {
        if (rows[radius - d])
            mark_steps(rows[radius - d], width, marked);
        if (rows[radius + d])
            mark_steps(rows[radius + d], width, marked);
        int next = d < radius ? reach(radius, d + 1) : 0;
        for (; across > (next > 1 ? next : 1); across--) {
            widen(marked, width, spare);
            swap = marked, marked = spare, spare = swap;
        }
        across = next;
    }
    if (marked != on)
        memcpy(on, marked, width);
}

void draw_outline(const uint32_t *const *rows, int radius, size_t width, uint8_t *on)
{
    const uint32_t *middle = rows[radius];
    memset(on, 0, width);
    mark_reached_steps(rows, radius, width, on);
    for (int dy = -radius; dy <= radius; dy++)
        if (rows[radius + dy])
            mark_differences(middle, rows[radius + dy], width, on);
    unmark_background(middle, width, on);
}

/* ---- colors ---- */

static void put(uint8_t *rgb, struct color color)
{
    rgb[0] = color.red;
    rgb[1] = color.green;
    rgb[2] = color.blue;
}

static void mix(uint8_t *rgb, struct color color, unsigned opacity)
{
    rgb[0] = (uint8_t)((rgb[0] * (256 - opacity) + color.red * opacity + 128) >> 8);
    rgb[1] = (uint8_t)((rgb[1] * (256 - opacity) + color.green * opacity + 128) >> 8);
    rgb[2] = (uint8_t)((rgb[2] * (256 - opacity) + color.blue * opacity + 128) >> 8);
}

void draw_labels(uint8_t *rgb, const uint32_t *const *rows, size_t width,
                 const struct draw_style *style, uint8_t *on)
{
    const uint32_t *labels = rows[style->line];
    unsigned opacity = (unsigned)lrint(style->opacity * 256);
    if (style->line)
        draw_outline(rows, style->line, width, on);
    for (size_t x = 0; x < width; x++) {
        if (!labels[x])
            continue;
        struct color color = style->single ? style->color : label_color(labels[x]);
        if (style->line && on[x])
            put(rgb + 3 * x, color);
        else if (opacity)
            mix(rgb + 3 * x, color, opacity);
    }
}

void draw_errors(uint8_t *rgb, const uint32_t *prediction, const uint32_t *truth, size_t width,
                 double opacity)
{
    unsigned weight = (unsigned)lrint(opacity * 256);
    for (size_t x = 0; x < width; x++) {
        if (!prediction[x] && !truth[x])
            continue;
        struct color color = !truth[x]        ? draw_false_positive
                             : !prediction[x] ? draw_false_negative
                                              : draw_true_positive;
        mix(rgb + 3 * x, color, weight);
    }
}

/* ---- display ---- */

static uint32_t integer_at(const void *row, size_t i, int bits)
{
    return bits == 8    ? ((const uint8_t *)row)[i]
           : bits == 16 ? ((const uint16_t *)row)[i]
                        : ((const uint32_t *)row)[i];
}

void draw_values(const void *row, size_t width, int channels, int bits, bool is_label, int taken,
                 float *values)
{
    bool floats = bits == 32 && !is_label;
    for (size_t x = 0; x < width; x++)
        for (int c = 0; c < taken; c++) {
            size_t i = x * (size_t)channels + (size_t)c;
            *values++ = floats ? ((const float *)row)[i] : (float)integer_at(row, i, bits);
        }
}

void draw_labels_of(const void *row, size_t width, int bits, uint32_t *labels)
{
    for (size_t x = 0; x < width; x++)
        labels[x] = integer_at(row, x, bits);
}

void draw_display(const float *values, size_t width, int channels, double low, double high,
                  uint8_t *rgb)
{
    float offset = (float)low, gain = high > low ? (float)(255 / (high - low)) : 0;
    for (size_t i = 0; i < 3 * width; i++) {
        float level = (values[channels == 3 ? i : i / 3] - offset) * gain + 0.5f;
        rgb[i] = (uint8_t)(level > 255 ? 255 : level > 0 ? level : 0);
    }
}

static unsigned block_mean(const uint8_t *from, size_t stride, size_t across, size_t rows)
{
    unsigned long sum = 0;
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < across; x++)
            sum += from[y * stride + 3 * x];
    unsigned long count = across * rows;
    return (unsigned)((sum + count / 2) / count);
}

void draw_shrink_rgb(const uint8_t *from, size_t width, size_t rows, size_t factor, uint8_t *to)
{
    for (size_t x = 0; x < width; x += factor) {
        size_t across = width - x < factor ? width - x : factor;
        for (size_t c = 0; c < 3; c++)
            *to++ = (uint8_t)block_mean(from + 3 * x + c, 3 * width, across, rows);
    }
}

void draw_shrink_labels(const uint32_t *from, size_t width, size_t rows, size_t factor,
                        uint32_t *to)
{
    for (size_t x = 0; x < width; x += factor, to++) {
        *to = 0;
        for (size_t y = 0; y < rows && !*to; y++)
            for (size_t i = x; i < width && i < x + factor && !*to; i++)
                *to = from[y * width + i];
    }
}
