#include "image/fold.h"

#include <string.h>

struct fold fold_new(enum planes_projection projection, size_t depth, const struct image_info *info,
                     double *sums)
{
    size_t n = (size_t)info->width * (size_t)info->channels;
    if (depth == 1)
        projection = PLANES_ONE;
    if (projection == PLANES_MEAN)
        memset(sums, 0, n * sizeof *sums);
    return (struct fold){projection, depth, n, 0, info, sums};
}

void *fold_target(const struct fold *fold, void *folded, void *row)
{
    return fold->added == 0 && fold->projection != PLANES_MEAN ? folded : row;
}

#define FOLD(type)                                                                                 \
    {                                                                                              \
        const type *from = row;                                                                    \
        type *to = folded;                                                                         \
        for (size_t i = 0; fold->projection == PLANES_MAX && i < n; i++)                           \
            to[i] = from[i] > to[i] || to[i] != to[i] ? from[i] : to[i];                           \
        for (size_t i = 0; fold->projection == PLANES_MIN && i < n; i++)                           \
            to[i] = from[i] < to[i] || to[i] != to[i] ? from[i] : to[i];                           \
        for (size_t i = 0; fold->projection == PLANES_MEAN && i < n; i++)                          \
            fold->sums[i] += (double)from[i];                                                      \
    }
#define MEAN(type, rounding)                                                                       \
    for (size_t i = 0; i < n; i++)                                                                 \
    ((type *)folded)[i] = (type)(fold->sums[i] / (double)fold->depth + (rounding))

static void finish_mean(const struct fold *fold, void *folded)
{
    size_t n = fold->n;
    if (fold->info->bits == 8)
        MEAN(uint8_t, 0.5);
    else if (fold->info->bits == 16)
        MEAN(uint16_t, 0.5);
    else if (fold->info->is_label)
        MEAN(uint32_t, 0.5);
    else
        MEAN(float, 0);
}

void fold_add(struct fold *fold, const void *row, void *folded)
{
    size_t n = fold->n;
    fold->added++;
    if (row == folded)
        return;
    if (fold->info->bits == 8)
        FOLD(uint8_t)
    else if (fold->info->bits == 16)
        FOLD(uint16_t)
    else if (fold->info->is_label)
        FOLD(uint32_t)
    else
        FOLD(float)
    if (fold->added == fold->depth && fold->projection == PLANES_MEAN)
        finish_mean(fold, folded);
}
