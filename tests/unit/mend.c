/* lib/pixels/mend: no numbers and hot pixels. */
#include "pixels/mend.h"

#include <stdlib.h>

#include "core/peak.h"
#include "tests/tap.h"

enum { SIDE = 64 };

/* A background with a spot that a lens drew, 12 times as bright. */
static double scene(size_t x, size_t y)
{
    double d = ((double)x - 20) * ((double)x - 20) + ((double)y - 20) * ((double)y - 20);
    return 100 + (double)((x * 7 + y * 13) % 11) + 1100 * exp(-d / 4);
}

static struct array make(enum dtype dtype, size_t channels)
{
    struct array image;
    struct err err;
    size_t shape[3] = {SIDE, SIDE, channels};
    if (array_new(&image, dtype, 3, shape, &err))
        exit(1);
    for (size_t i = 0; i < SIDE * SIDE * channels; i++) {
        double value = scene(i / channels % SIDE, i / channels / SIDE);
        if (dtype == DTYPE_F32)
            ((float *)image.data)[i] = (float)value;
        else if (dtype == DTYPE_U16)
            ((uint16_t *)image.data)[i] = (uint16_t)value;
    }
    return image;
}

static void mend(struct array *image, size_t height, size_t width, struct mended *mended)
{
    struct array copy = make(image->dtype, image->shape[2]);
    size_t row = SIDE * image->shape[2];
    double peak = 0;
    for (size_t y = 0; image->dtype != DTYPE_U8 && y < height; y++) {
        size_t at = y * row * dtype_size(image->dtype);
        peak = fmax(peak, peak_copy(image->dtype, (char *)image->data + at, width * image->shape[2],
                                    (char *)copy.data + at));
    }
    array_free(&copy);
    mend_pixels(image, peak, height, width, mended);
}

static uint64_t differences(const struct array *a, const struct array *b)
{
    uint64_t count = 0;
    size_t size = dtype_size(a->dtype);
    for (size_t i = 0; i < array_count(a); i++)
        count += memcmp((char *)a->data + i * size, (char *)b->data + i * size, size) != 0;
    return count;
}

static void test_untouched(void)
{
    static const enum dtype dtypes[] = {DTYPE_U16, DTYPE_F32};
    for (int i = 0; i < 2; i++) {
        struct array image = make(dtypes[i], 1), like = make(dtypes[i], 1);
        struct mended mended;
        mend(&image, SIDE, SIDE, &mended);
        ok(mended.hot == 0 && mended.not_finite == 0 && differences(&image, &like) == 0,
           "a bright spot stays");
        array_free(&image);
        array_free(&like);
    }
}

static void test_hot(void)
{
    struct array image = make(DTYPE_U16, 2);
    uint16_t *values = image.data;
    struct mended mended;
    values[2 * (40 * SIDE + 50) + 1] = 65535;
    values[2 * (40 * SIDE + 51) + 1] = 60000; /* two of one */
    values[2 * (10 * SIDE + 63) + 0] = 20000; /* at the border, in the other channel */
    values[2 * (50 * SIDE + 3) + 1] = 12000;  /* hidden by the first */
    mend(&image, SIDE, SIDE, &mended);
    is_int((long long)mended.hot, 4, "four hot pixels are found");
    ok(values[2 * (40 * SIDE + 50) + 1] < 115 && values[2 * (40 * SIDE + 51) + 1] < 115 &&
           values[2 * (10 * SIDE + 63)] < 115 && values[2 * (50 * SIDE + 3) + 1] < 115,
       "and become as their neighbors");
    array_free(&image);
}

static void test_blob(void)
{
    struct array image = make(DTYPE_F32, 1), like;
    float *values = image.data;
    struct mended mended;
    for (size_t i = 0; i < 3; i++)
        values[40 * SIDE + 30 + i] = 50000;
    like = make(DTYPE_F32, 1);
    memcpy(like.data, image.data, array_bytes(&image));
    mend(&image, SIDE, SIDE, &mended);
    ok(mended.hot == 0 && differences(&image, &like) == 0, "three in a row are something");
    array_free(&image);
    array_free(&like);
}

static void test_not_finite(void)
{
    struct array image = make(DTYPE_F32, 1);
    float *values = image.data;
    struct mended mended;
    values[5 * SIDE + 5] = NAN;
    values[6 * SIDE + 40] = INFINITY;
    values[7 * SIDE + 60] = -INFINITY;
    for (size_t x = 0; x < SIDE * 3; x++)
        values[30 * SIDE + x] = NAN; /* three rows */
    mend(&image, SIDE, SIDE, &mended);
    is_int((long long)mended.not_finite, 3 + 3 * SIDE, "what is no number is counted");
    bool finite = true;
    for (size_t i = 0; i < SIDE * SIDE; i++)
        finite &= isfinite(values[i]) && values[i] < 1300 && values[i] > 99;
    ok(finite, "and becomes as what is near");
    for (size_t i = 0; i < SIDE * SIDE; i++)
        values[i] = NAN;
    mend(&image, SIDE, SIDE, &mended);
    ok(values[0] == 0 && values[SIDE * SIDE - 1] == 0, "0 when there is nothing else");
    array_free(&image);
}

static void test_padding(void)
{
    struct array image = make(DTYPE_U16, 1);
    struct mended mended;
    memset(image.data, 0, array_bytes(&image));
    *(uint16_t *)image.data = 500;
    mend(&image, 1, 1, &mended);
    ok(mended.hot == 0 && *(uint16_t *)image.data == 500, "one pixel in padding is an image");
    array_free(&image);
}

static void test_bytes(void)
{
    struct array image = make(DTYPE_U8, 1);
    struct mended mended;
    ((uint8_t *)image.data)[70] = 255;
    mend(&image, SIDE, SIDE, &mended);
    ok(mended.hot == 0 && ((uint8_t *)image.data)[70] == 255, "8 bits are left alone");
    array_free(&image);
}

int main(void)
{
    tap_plan(10);
    test_untouched();
    test_hot();
    test_blob();
    test_not_finite();
    test_padding();
    test_bytes();
    return tap_done();
}
