/* lib/objects/rims: cells to classes, and back. */
#include <string.h>

#include "objects/rims.h"
#include "tests/tap.h"

enum { HEIGHT = 14, WIDTH = 26, COUNT = HEIGHT * WIDTH };

/* Two squares that touch, 8 high, at the image's upper border, and a line that is all rim. */
static void draw(uint32_t *labels)
{
    for (int i = 0; i < COUNT; i++) {
        int y = i / WIDTH, x = i % WIDTH;
        labels[i] = y < 8 && x >= 2 && x < 10 ? 7 : y < 8 && x >= 10 && x < 20 ? 3 : 0;
        if (x >= 22 && x < 24)
            labels[i] = 9;
    }
}

int main(void)
{
    static uint32_t truth[COUNT], labels[COUNT];
    uint32_t count;
    struct err err;
    tap_plan(12);
    draw(truth);
    memcpy(labels, truth, sizeof labels);
    ok(rims_of_labels(labels, HEIGHT, WIDTH, 2, &err) == 0, "cells become classes");
    is_int(labels[12 * WIDTH + 5], 0, "none where there is no cell");
    is_int(labels[3 * WIDTH + 3], 1, "rims, two pixels wide");
    is_int(labels[3 * WIDTH + 4], 2, "and insides");
    ok(labels[3 * WIDTH + 8] == 1 && labels[3 * WIDTH + 11] == 1, "where cells touch each has one");
    is_int(labels[5], 2, "but none at the image's border");
    is_int(labels[3 * WIDTH + 23], 1, "thin cells are all rim");
    ok(rims_to_labels(labels, HEIGHT, WIDTH, 8, &count, &err) == 0, "and cells again");
    is_int(count, 3, "as many");
    int wrong = 0;
    for (int i = 0; i < COUNT; i++)
        wrong += (labels[i] == 0) != (truth[i] == 0) ||
                 (truth[i] && labels[i] != (truth[i] == 7   ? 1U
                                            : truth[i] == 3 ? 2U
                                                            : 3U));
    is_int(wrong, 0, "every pixel in its own, numbered by their first pixels");
    memset(labels, 0, sizeof labels);
    ok(rims_to_labels(labels, HEIGHT, WIDTH, 8, &count, &err) == 0 && count == 0,
       "nothing is nothing");
    for (int i = 0; i < COUNT; i++)
        labels[i] = 2 + (uint32_t)i % 2;
    ok(rims_to_labels(labels, HEIGHT, WIDTH, 8, &count, &err) == 0 && count == 1,
       "classes beyond are insides");
    return tap_done();
}
