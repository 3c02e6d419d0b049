/* Outlines against their definition, colors of masks and errors, shrinking, figures. */
#include <stdlib.h>

#include "draw/draw.h"
#include "draw/figure.h"
#include "draw/letters.h"
#include "tests/tap.h"

enum { W = 31, H = 23 };

static uint32_t labels[H][W];

/* Blocks of labels 0 to 3, so that objects touch each other and the border. */
static void make_labels(void)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            labels[y][x] = (uint32_t)((x / 5 * 7 + y / 4 * 3 + x * y / 60) % 4);
}

static bool is_outline(int x, int y, int radius)
{
    if (!labels[y][x])
        return false;
    for (int dy = -radius; dy <= radius; dy++)
        for (int dx = -radius; dx <= radius; dx++) {
            double most = (radius + 0.3) * (radius + 0.3);
            int u = x + dx, v = y + dy;
            if (u >= 0 && u < W && v >= 0 && v < H && dx * dx + dy * dy <= most &&
                labels[v][u] != labels[y][x])
                return true;
        }
    return false;
}

static void around(int y, int radius, const uint32_t **rows)
{
    for (int i = 0; i <= 2 * radius; i++) {
        int v = y + i - radius;
        rows[i] = v >= 0 && v < H ? labels[v] : NULL;
    }
}

static void test_outlines(void)
{
    for (int radius = 1; radius <= 9; radius++) {
        int wrong = 0, marked = 0;
        for (int y = 0; y < H; y++) {
            const uint32_t *rows[19];
            uint8_t on[2 * W];
            around(y, radius, rows);
            draw_outline(rows, radius, W, on);
            for (int x = 0; x < W; x++) {
                wrong += on[x] != is_outline(x, y, radius);
                marked += on[x];
            }
        }
        ok(wrong == 0 && marked > 0, "outlines of width %d", radius);
    }
    const uint32_t one[1] = {3}, *rows[3] = {NULL, one, NULL};
    uint8_t on[2] = {9};
    draw_outline(rows, 1, 1, on);
    is_int(on[0], 0, "the image's border is not an outline");
}

static bool is_color(const uint8_t *rgb, struct color color)
{
    return rgb[0] == color.red && rgb[1] == color.green && rgb[2] == color.blue;
}

static void test_colors(void)
{
    const uint32_t row[5] = {0, 1, 255, 2, 9}, *rows[1] = {row};
    uint8_t rgb[15] = {0}, on[10];
    struct draw_style style = {.opacity = 1};
    draw_labels(rgb, rows, 5, &style, on);
    ok(is_color(rgb, (struct color){0, 0, 0}), "the background is left alone");
    ok(memcmp(rgb + 3, rgb + 6, 3) == 0, "1 and 255 are the same color");
    ok(memcmp(rgb + 3, rgb + 9, 3) != 0, "1 and 2 are not");
    ok(memcmp(rgb + 9, rgb + 12, 3) == 0, "colors go round");
    const uint32_t found[4] = {0, 1, 1, 0}, truth[4] = {0, 1, 0, 1};
    uint8_t errors[12] = {0};
    draw_errors(errors, found, truth, 4, 1);
    ok(is_color(errors, (struct color){0, 0, 0}) && is_color(errors + 3, draw_true_positive) &&
           is_color(errors + 6, draw_false_positive) && is_color(errors + 9, draw_false_negative),
       "errors have their colors");
}

static void test_display(void)
{
    const uint16_t row[4] = {100, 200, 300, 400};
    float values[6];
    uint8_t rgb[12];
    draw_values(row, 4, 1, 16, false, 1, values);
    draw_display(values, 4, 1, 200, 300, rgb);
    ok(rgb[0] == 0 && rgb[3] == 0 && rgb[6] == 255 && rgb[9] == 255, "values are clipped");
    const uint8_t alpha[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    draw_values(alpha, 2, 4, 8, false, 3, values);
    ok(values[0] == 1 && values[2] == 3 && values[3] == 5, "alpha is left out");
    const uint16_t deep[2] = {0, 900};
    uint32_t got[2];
    draw_labels_of(deep, 2, 16, got);
    ok(got[0] == 0 && got[1] == 900, "labels of 16 bits");
}

static void test_shrinking(void)
{
    const uint8_t rgb[2][9] = {{10, 0, 0, 20, 0, 0, 7, 0, 0}, {30, 0, 0, 40, 0, 0, 8, 0, 0}};
    uint8_t small[6];
    draw_shrink_rgb(rgb[0], 3, 2, 2, small);
    ok(small[0] == 25 && small[3] == 8, "means of whole and narrower blocks");
    const uint32_t thin[6] = {0, 0, 0, 5, 0, 0};
    uint32_t kept[2];
    draw_shrink_labels(thin, 3, 2, 2, kept);
    ok(kept[0] == 5 && kept[1] == 0, "a thin object stays");
}

static void draw_figure(struct figure *figure, uint8_t *pixels)
{
    uint8_t rgb[3 * W];
    const uint32_t *rows[3];
    for (size_t y = 0; y < figure->total_height; y++, pixels += 3 * figure->total_width) {
        if (y >= H) {
            figure_insets(figure, y - H, pixels);
            continue;
        }
        memset(rgb, (int)y, sizeof rgb);
        around((int)y, 1, rows);
        struct figure_row row = {rgb, rows, rows};
        figure_keep_rgb(figure, y, 1, rgb);
        figure_keep_labels(figure, y, 1, rows[1], false);
        figure_keep_labels(figure, y, 1, rows[1], true);
        figure_panels(figure, y, &row, pixels);
    }
}

static void test_figure(void)
{
    struct err err;
    struct figure figure = {.width = W,
                            .height = H,
                            .panel_count = 2,
                            .panels = {PANEL_IMAGE, PANEL_ERRORS},
                            .style = {.line = 1},
                            .error_opacity = 1,
                            .inset_count = 1,
                            .insets = {{.x = 10, .y = 8, .width = 8, .height = 6}}};
    if (figure_start(&figure, &err)) {
        ok(false, "%s", err.message);
        return;
    }
    is_int((long long)figure.total_width, 2 * W + 4, "two panels and a gap");
    is_int((long long)figure.inset_height, 23, "an inset keeps its proportions");
    is_int((long long)figure.total_height, H + 4 + 23, "insets come below");
    uint8_t *pixels = malloc(3 * figure.total_width * figure.total_height);
    draw_figure(&figure, pixels);
    const uint8_t *row = pixels + 3 * figure.total_width * 5;
    int wrong = 0;
    for (int x = 0; x < W; x++) {
        wrong += row[3 * x] != 5;
        struct color shown = labels[5][x] ? draw_true_positive : (struct color){5, 5, 5};
        wrong += !is_color(row + 3 * (W + 4 + x), shown);
    }
    is_int(wrong, 0, "the image beside the map of errors");
    is_int(row[3 * W], 255, "the gap is white");
    const uint8_t *middle = pixels + 3 * (figure.total_width * (H + 4 + 11) + 15);
    ok(middle[0] >= 8 && middle[0] < 14 && middle[0] == middle[1], "the inset shows its part");
    free(pixels);
    figure_free(&figure);
    figure = (struct figure){.width = W,
                             .height = H,
                             .panel_count = 1,
                             .inset_count = 1,
                             .insets = {{.x = 30, .y = 0, .width = 2, .height = 2}}};
    is_int(figure_start(&figure, &err), -1, "an inset outside the image is refused");
    is_int(err.status, STATUS_USAGE, "as wrong usage");
    figure_free(&figure);
}

/* A title, a scale bar, and an inset of a panel that was shrunk. */
static void test_letters(void)
{
    struct err err;
    float ink[40] = {0};
    letters_row("I", 2, 4, 6, 0, 40, ink);
    ok(ink[4] > 0.7f && ink[2] == 0 && ink[7] == 0, "a stroke is where it was asked for");
    ok(fabs(letters_width("II") - 2 * letters_width("I") - (2 - 2 * 0.42)) < 1e-9,
       "letters have a gap");
    ok(letters_width("\xc2\xb5") > letters_width("I") && letters_width("") == 0,
       "UTF-8 is one letter");
    struct figure figure = {.width = 60,
                            .height = 60,
                            .full_width = 120,
                            .full_height = 120,
                            .factor = 2,
                            .panel_count = 1,
                            .titles = {"H"},
                            .title_count = 1,
                            .bar = 20,
                            .bar_text = "1 m",
                            .inset_count = 1,
                            .insets = {{.x = 100, .y = 100, .width = 20, .height = 20}}};
    if (figure_start(&figure, &err)) {
        ok(false, "%s", err.message);
        return;
    }
    uint8_t row[3 * 60], rgb[3 * 120], grey[3 * 60];
    memset(rgb, 200, sizeof rgb);
    for (size_t y = 0; y < 120; y++)
        figure_keep_rgb(&figure, y, 1, rgb);
    figure_insets(&figure, figure.gap + figure.inset_height / 2, row);
    is_int(row[3 * 30], 200, "an inset has the image's own pixels");
    int dark = 0, bright = 0, rim = 0;
    for (size_t y = 0; y < figure.head; y++) {
        figure_titles(&figure, y, row);
        for (int x = 0; x < 60; x++)
            dark += row[3 * x] < 100;
    }
    ok(dark > 10, "a title is written");
    memset(grey, 128, sizeof grey);
    for (size_t y = 0; y < 60; y++) {
        const uint32_t none[60] = {0}, *rows[] = {none};
        figure_panels(&figure, y, &(struct figure_row){grey, rows, NULL}, row);
        for (int x = 0; x < 60; x++) {
            bright += row[3 * x] > 250;
            rim += row[3 * x] < 60;
        }
    }
    ok(bright >= 15 && rim >= 15, "a scale bar is white with a black rim");
    figure_free(&figure);
}

int main(void)
{
    tap_plan(34);
    make_labels();
    test_outlines();
    test_colors();
    test_display();
    test_shrinking();
    test_figure();
    test_letters();
    return tap_done();
}
