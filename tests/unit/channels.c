/* lib/core/channels: gray, RGB, alpha. */
#include "core/channels.h"

#include "tests/tap.h"

static void test_counts(void)
{
    static const struct {
        int channels, keep, gray, rgb;
    } cases[] = {{1, 1, 1, 3}, {2, 2, 0, 0}, {3, 3, 1, 3}, {4, 4, 0, 0}, {5, 5, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ok(channels_after(cases[i].channels, CHANNELS_KEEP) == cases[i].keep &&
               channels_after(cases[i].channels, CHANNELS_GRAY) == cases[i].gray &&
               channels_after(cases[i].channels, CHANNELS_RGB) == cases[i].rgb,
           "%d channels become %d, %d, %d", cases[i].channels, cases[i].keep, cases[i].gray,
           cases[i].rgb);
}

static void test_conversions(void)
{
    static const uint8_t rgba[8] = {255, 0, 0, 9, 10, 20, 30, 9}, gray_alpha[4] = {7, 1, 8, 2};
    static const uint16_t deep[3] = {65535, 65535, 65535};
    static const float real[3] = {1, 0.5f, -1};
    uint8_t out[8];
    uint16_t deep_out;
    float real_out;
    channels_convert(rgba, 4, out, 3, DTYPE_U8, 2);
    ok(!memcmp(out, (uint8_t[]){255, 0, 0, 10, 20, 30}, 6), "alpha is dropped");
    channels_convert(rgba, 4, out, 1, DTYPE_U8, 2);
    ok(out[0] == 76 && out[1] == 18, "RGBA to gray");
    channels_convert(gray_alpha, 2, out, 3, DTYPE_U8, 2);
    ok(!memcmp(out, (uint8_t[]){7, 7, 7, 8, 8, 8}, 6), "gray and alpha to RGB");
    channels_convert(deep, 3, &deep_out, 1, DTYPE_U16, 1);
    is_int(deep_out, 65535, "white stays white in 16 bits");
    channels_convert(real, 3, &real_out, 1, DTYPE_F32, 1);
    is_near((double)real_out, 0.299 + 0.2935 - 0.114, 1e-6, "floats to gray");
}

int main(void)
{
    tap_plan(10);
    test_counts();
    test_conversions();
    return tap_done();
}
