#include "tiles/grid.h"

#include <math.h>
#include <string.h>

#include "core/num.h"

#define MAX_OVERLAP 1e6

int grid_parse_overlap(const char *text, struct grid_overlap *overlap, struct err *err)
{
    char number[32];
    size_t length = strlen(text);
    bool percentage = length && text[length - 1] == '%';
    if (length >= sizeof number)
        return err_set(err, STATUS_USAGE, "'%s' is not an overlap", text);
    memcpy(number, text, length + 1);
    number[length - percentage] = '\0';
    int64_t pixels = 0;
    *overlap = (struct grid_overlap){.is_percentage = percentage};
    if (percentage)
        return num_real(number, 0, nextafter(100, 0), &overlap->amount, err);
    if (num_int(number, 0, (int64_t)MAX_OVERLAP, &pixels, err))
        return -1;
    overlap->amount = (double)pixels;
    return 0;
}

int grid_step(int64_t size, const struct grid_overlap *overlap, int64_t *step, struct err *err)
{
    double exact = overlap->is_percentage ? (double)size * (100 - overlap->amount) / 100
                                          : (double)size - overlap->amount;
    *step = (int64_t)floor(exact);
    if (*step < 1)
        return err_set(err, STATUS_USAGE, "an overlap of %g%s leaves no step for tiles of %lld",
                       overlap->amount, overlap->is_percentage ? "%" : "", (long long)size);
    return 0;
}

static int64_t count_windows(int64_t length, int64_t size, int64_t step, enum grid_edge edge)
{
    if (length < size)
        return edge == GRID_FIT ? 0 : 1;
    int64_t inside = (length - size) / step + 1;
    bool covered = (length - size) % step == 0;
    return inside + (edge != GRID_FIT && !covered);
}

struct grid_axis grid_axis_new(int64_t length, int64_t size, int64_t step, enum grid_edge edge)
{
    return (struct grid_axis){.length = length,
                              .size = size,
                              .step = step,
                              .count = count_windows(length, size, step, edge),
                              .edge = edge};
}

struct grid grid_new(int64_t width, int64_t height, int64_t size, int64_t step, enum grid_edge edge)
{
    return (struct grid){.x = grid_axis_new(width, size, step, edge),
                         .y = grid_axis_new(height, size, step, edge)};
}

struct grid grid_whole(int64_t width, int64_t height)
{
    return (struct grid){.x = grid_axis_new(width, width, width, GRID_FIT),
                         .y = grid_axis_new(height, height, height, GRID_FIT)};
}

int64_t grid_start(const struct grid_axis *axis, int64_t i)
{
    int64_t start = i * axis->step;
    bool crosses = start + axis->size > axis->length;
    if (axis->edge == GRID_SHIFT && crosses && axis->length >= axis->size)
        return axis->length - axis->size;
    return start;
}

int64_t grid_count(const struct grid *grid)
{
    return grid->x.count * grid->y.count;
}

void grid_part(const struct grid *grid, int64_t part, int64_t parts, int64_t *first, int64_t *end)
{
    int64_t each = grid->y.count / parts, more = grid->y.count % parts;
    *first = (part - 1) * each + (part - 1 < more ? part - 1 : more);
    *end = *first + each + (part - 1 < more);
}
