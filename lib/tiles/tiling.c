#include "tiles/tiling.h"

#include <stddef.h>

static int step_of(const struct tiling_options *options, int64_t size, int64_t *step,
                   struct err *err)
{
    struct grid_overlap overlap = options->overlap;
    if (options->overlap_is_cut && overlap.amount > (double)size / 4)
        overlap = (struct grid_overlap){.amount = 25, .is_percentage = true};
    return grid_step(size, &overlap, step, err);
}

int tiling_check(const struct tiling_options *options, struct err *err)
{
    int64_t step;
    for (int i = 0; i < options->size_count; i++)
        if (options->sizes[i] && step_of(options, options->sizes[i], &step, err))
            return -1;
    return 0;
}

int tiling_new(struct tiling *tiling, const struct tiling_options *options, int64_t width,
               int64_t height, struct err *err)
{
    int64_t step;
    *tiling = (struct tiling){.size_count = options->size_count, .width = width, .height = height};
    for (int i = 0; i < options->size_count; i++) {
        struct tiling_level *level = &tiling->levels[i];
        *level = (struct tiling_level){.size = options->sizes[i], .first_index = tiling->count};
        if (level->size && step_of(options, level->size, &step, err))
            return -1;
        level->grid = level->size ? grid_new(width, height, level->size, step, options->edge)
                                  : grid_whole(width, height);
        grid_part(&level->grid, options->part, options->parts, &level->row, &level->end);
        tiling->count += grid_count(&level->grid);
    }
    return 0;
}

struct tiling_level *tiling_next(struct tiling *tiling)
{
    struct tiling_level *best = NULL;
    int64_t best_start = 0;
    for (int i = 0; i < tiling->size_count; i++) {
        struct tiling_level *level = &tiling->levels[i];
        int64_t start = grid_start(&level->grid.y, level->row);
        if (level->row < level->end && (!best || start < best_start)) {
            best = level;
            best_start = start;
        }
    }
    return best;
}

static int64_t beyond(int64_t end, int64_t length)
{
    return end > length ? end - length : 0;
}

struct tiling_window tiling_window(const struct tiling *tiling, const struct tiling_level *level,
                                   int64_t column)
{
    const struct grid *grid = &level->grid;
    struct tiling_window window = {.x = grid_start(&grid->x, column),
                                   .y = grid_start(&grid->y, level->row),
                                   .width = grid->x.size,
                                   .height = grid->y.size,
                                   .index =
                                       level->first_index + level->row * grid->x.count + column};
    window.pad_right = beyond(window.x + window.width, tiling->width);
    window.pad_bottom = beyond(window.y + window.height, tiling->height);
    return window;
}
