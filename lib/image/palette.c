#include "image/palette.h"

#include <stdlib.h>
#include <string.h>

#define SMALL_STEP     12   /* of a channel, between two neighboring entries */
#define LARGE_STEPS    16   /* more than these and it is no table for display */
#define LARGEST_TRAVEL 2048 /* sum of all steps of all channels; a rainbow has 1530 */

static bool is_gray(const uint8_t color[3])
{
    return color[0] == color[1] && color[1] == color[2];
}

static bool is_smooth(const struct palette *palette)
{
    int large = 0, travel = 0, different = 0;
    for (size_t i = 1; i < palette->count; i++) {
        int largest = 0;
        for (int c = 0; c < 3; c++) {
            int step = abs(palette->colors[i][c] - palette->colors[i - 1][c]);
            largest = step > largest ? step : largest;
            travel += step;
        }
        large += largest > SMALL_STEP;
        different += largest > 0;
    }
    return large <= LARGE_STEPS && travel <= LARGEST_TRAVEL && different >= 64;
}

enum palette_kind palette_kind(const struct palette *palette)
{
    if (palette->count == PALETTE_MAX && is_smooth(palette))
        return PALETTE_DISPLAY;
    for (size_t i = 0; i < palette->count; i++)
        if (!is_gray(palette->colors[i]))
            return PALETTE_COLORS;
    return PALETTE_GRAY;
}

bool palette_is_black_and_white(const struct palette *palette)
{
    bool black = false, white = false;
    for (size_t i = 0; i < palette->count; i++) {
        const uint8_t *color = palette->colors[i];
        if (!is_gray(color) || (color[0] != 0 && color[0] != 255))
            return false;
        black |= color[0] == 0;
        white |= color[0] == 255;
    }
    return black && white;
}
