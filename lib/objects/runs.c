#include "objects/runs.h"

#include "objects/regions.h"

/* Puts each run where its object's next one goes, and moves that place on. */
static void put_row(struct run *runs, struct boxes *boxes, const uint32_t *row, size_t width,
                    size_t y)
{
    for (size_t x = 0; x < width;) {
        size_t begin = x++;
        while (x < width && row[x] == row[begin])
            x++;
        if (row[begin] == 0)
            continue;
        struct box *box = &boxes->items[intmap_get(&boxes->numbers, row[begin]) - 1];
        runs[box->first_run++] = (struct run){(uint32_t)y, (uint32_t)begin, (uint32_t)x};
    }
}

int runs_of(struct spill *runs, struct boxes *boxes, const uint32_t *labels, size_t height,
            size_t width, struct err *err)
{
    size_t count = 0;
    for (size_t i = 0; i < boxes->count; i++) {
        boxes->items[i].first_run = count;
        count += boxes->items[i].runs;
    }
    if (spill_new(runs, count * sizeof(struct run), err))
        return -1;
    for (size_t y = 0; y < height; y++)
        put_row(runs->data, boxes, labels + y * width, width, y);
    for (size_t i = 0; i < boxes->count; i++)
        boxes->items[i].first_run -= boxes->items[i].runs;
    return 0;
}
