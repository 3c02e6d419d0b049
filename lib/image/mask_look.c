#include "image/mask_look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/target.h"

#define ENOUGH      1024   /* values between, more than half of them flat: labels */
#define FEW_VALUES  2      /* as many are classes */
#define MANY_VALUES 32     /* fewer are no picture */
#define DARK        0.0625 /* of white: darker, or lighter than 1 - DARK, is not middling */

int mask_look_begin(struct mask_look *look, enum dtype dtype, size_t width, struct err *err)
{
    *look =
        (struct mask_look){.dtype = dtype, .width = width, .least = INFINITY, .most = -INFINITY};
    look->above = calloc(width, dtype_size(dtype));
    return look->above ? 0 : err_memory(err, "a mask's row");
}

void mask_look_end(struct mask_look *look)
{
    free(look->above);
    look->above = NULL;
}

uint32_t mask_look_white(const struct mask_look *look)
{
    return look->dtype == DTYPE_U8 ? 255 : look->dtype == DTYPE_U16 ? 65535 : 1;
}

/* ---- 8 and 16 bits ---- */

/* How many of n values are white, unless others than 0 and white are among them: then *others.
 * Counters as wide as the values are the fastest; they begin anew before they overflow. */
#define DEFINE_COUNT(name, type, shift, block)                                                     \
    CLONES(static, size_t, name, (const type *row, size_t n, bool *others), (row, n, others))      \
    {                                                                                              \
        size_t count = 0;                                                                          \
        type between = 0;                                                                          \
        for (size_t at = 0; at < n; at += block) {                                                 \
            size_t end = n - at < block ? n : at + block;                                          \
            type some = 0;                                                                         \
            for (size_t i = at; i < end; i++) {                                                    \
                between |= (type)((type)(row[i] + 1) >> 1);                                        \
                some = (type)(some + (row[i] >> shift));                                           \
            }                                                                                      \
            count += some;                                                                         \
        }                                                                                          \
        *others = between != 0;                                                                    \
        return count;                                                                              \
    }

DEFINE_COUNT(count_white_u8, uint8_t, 7, 128)
DEFINE_COUNT(count_white_u16, uint16_t, 15, 32768)

static uint32_t integer_at(const struct mask_look *look, const void *row, size_t i)
{
    return look->dtype == DTYPE_U8 ? ((const uint8_t *)row)[i] : ((const uint16_t *)row)[i];
}

/* A row with values between. */
static void look_between(struct mask_look *look, const void *row)
{
    uint32_t white = mask_look_white(look), dark = (uint32_t)(DARK * white);
    for (size_t x = 0; x < look->width; x++) {
        uint32_t value = integer_at(look, row, x);
        look->white += value == white;
        look->has_zero |= value == 0;
        look->maximum = value > look->maximum ? value : look->maximum;
        if (value == 0 || value == white)
            continue;
        look->between++;
        look->light += value >= white - dark;
        look->middling += value > dark && value < white - dark;
        look->values[value / 8] |= (uint8_t)(1 << value % 8);
        look->flat += look->has_above && x > 0 && integer_at(look, row, x - 1) == value &&
                      integer_at(look, look->above, x) == value;
    }
    memcpy(look->above, row, look->width * dtype_size(look->dtype));
    look->has_above = true;
}

static void look_at_integers(struct mask_look *look, const void *row)
{
    bool others;
    size_t white = look->dtype == DTYPE_U8 ? count_white_u8(row, look->width, &others)
                                           : count_white_u16(row, look->width, &others);
    if (others) {
        look_between(look, row);
        return;
    }
    look->has_above = false;
    look->white += white;
    look->has_zero |= white < look->width;
    if (white)
        look->maximum = mask_look_white(look);
}

/* ---- 32 bits ---- */

/* False when there are several values but 0, which no mask in black and white has. */
static bool note_value(struct mask_look *look, uint32_t value)
{
    if (value == 0)
        return true;
    if (look->maximum == 0)
        look->maximum = value;
    look->is_mixed |= look->maximum != value;
    return !look->is_mixed;
}

static bool look_at_wide(struct mask_look *look, const uint32_t *row)
{
    for (size_t x = 0; x < look->width; x++)
        if (!note_value(look, row[x]))
            return false;
    return true;
}

/* ---- floats ---- */

static void look_at_floats(struct mask_look *look, const float *row)
{
    const float *above = look->above;
    for (size_t x = 0; x < look->width; x++) {
        float value = row[x];
        if (isnan(value)) {
            look->nans++;
            continue;
        }
        bool whole = value == floorf(value);
        if (!look->is_mixed)
            note_value(look, whole && value >= 0 && value <= 65535 ? (uint32_t)value : 1);
        if (!whole && look->fractions++ == 0)
            look->fraction = (double)value;
        look->least = fmin(look->least, (double)value);
        look->most = fmax(look->most, (double)value);
        look->has_zero |= value == 0;
        look->white += value == 1;
        look->voids += value == -1;
        look->between += value != 0 && value != 1;
        look->light += value >= 1 - DARK && value < 1;
        look->middling += value > DARK && value < 1 - DARK;
        look->flat += value != 0 && value != 1 && x > 0 && look->has_above && row[x - 1] == value &&
                      above[x] == value;
    }
    memcpy(look->above, row, look->width * sizeof *row);
    look->has_above = true;
}

bool mask_look_row(struct mask_look *look, const void *row)
{
    look->pixels += look->width;
    if (look->dtype == DTYPE_U32)
        return look_at_wide(look, row);
    if (look->dtype == DTYPE_F32)
        look_at_floats(look, row);
    else
        look_at_integers(look, row);
    return look->dtype == DTYPE_F32 || look->between < ENOUGH || 2 * look->flat < look->between;
}

/* ---- what it was ---- */

int mask_look_between(const struct mask_look *look)
{
    int count = 0;
    for (size_t i = 0; i < sizeof look->values; i++)
        count += __builtin_popcount(look->values[i]);
    return count;
}

bool mask_look_is_black_and_white(const struct mask_look *look)
{
    uint32_t only = look->is_mixed ? 0 : look->maximum;
    if (look->dtype > DTYPE_U16)
        return only == UINT8_MAX || only == UINT16_MAX || only == UINT32_MAX;
    return look->white > 0 && look->between == 0;
}

bool mask_look_is_smoothed(const struct mask_look *look)
{
    uint64_t light = look->white + look->light;
    bool edges = light > 0 && look->has_zero && 2 * look->flat < look->between &&
                 4 * light >= look->middling;
    if (look->dtype == DTYPE_F32)
        return edges && look->fractions > 0 && look->least >= 0 && look->most <= 1;
    return edges && look->dtype <= DTYPE_U16 && mask_look_between(look) > FEW_VALUES;
}

bool mask_look_is_picture(const struct mask_look *look)
{
    return look->dtype <= DTYPE_U16 && 2 * look->between > look->pixels &&
           8 * look->flat < look->between && mask_look_between(look) > MANY_VALUES;
}
