/* lib/image: files that belong together, and their rows. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/destination.h"
#include "core/guard.h"
#include "image/pairs.h"
#include "image/rows.h"
#include "image/values.h"
#include "tests/tap.h"

static char folder[] = "/tmp/morphoseg-XXXXXX";

static const char *in(const char *name)
{
    static char path[2][200];
    static int next;
    next = !next;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

/* 20 x 10 pixels, value 10 y + x + channel, or 0 and 255 alone. */
static bool draw(const char *name, int channels, bool binary)
{
    struct err err;
    struct image_info info = {
        .width = 20, .height = 10, .channels = channels, .bits = 8, .has_alpha = channels == 4};
    uint8_t pixels[20 * 10 * 4];
    for (int i = 0; i < 200; i++)
        for (int c = 0; c < channels; c++)
            pixels[i * channels + c] =
                (uint8_t)(binary ? (i % 20 < 7 ? 255 : 0) : i / 20 * 10 + i % 20 + c);
    return guard_rewrites(in(name), &err) == 0 && image_save(in(name), &info, pixels, &err) == 0;
}

static void test_pairs(void)
{
    struct err err;
    struct pairs pairs;
    char path[300];
    char a[100], b[100];
    snprintf(a, sizeof a, "%s", in("a"));
    snprintf(b, sizeof b, "%s", in("b"));
    draw("a/one_pred.png", 1, true);
    draw("a/two_pred.png", 1, true);
    draw("a/other.png", 1, true);
    draw("b/one.png", 1, true);
    draw("b/three.tif", 1, true);
    if (!ok(pairs_match(&pairs, a, "_pred", b, "", &err) == 0, "two folders"))
        return;
    is_int((long long)pairs.matched_count, 1, "have a pair");
    is_str(pairs.matched[0].stem, "one", "of one stem");
    is_int((long long)pairs.single_count, 2, "and two files that are alone");
    ok(pairs.single[0].b == NULL && strcmp(pairs.single[0].stem, "two") == 0, "of the first");
    ok(pairs.single[1].a == NULL && strcmp(pairs.single[1].stem, "three") == 0, "of the second");
    pairs_free(&pairs);
    ok(pairs_match(&pairs, a, "_none", b, "", &err) == -1 && err.status == STATUS_NO_INPUT,
       "no files of such a name");
    ok(pairs_match(&pairs, a, "", in("c"), "", &err) == -1, "no such folder");
    ok(pairs_find_mask(a, "x/two.tif", "_pred", path, sizeof path, &err) == 0, "a mask is found");
    is_str(path + strlen(a), "/two_pred.png", "by its stem and suffix");
    ok(pairs_find_mask(b, "x/three.jpg", "_pred", path, sizeof path, &err) == 0,
       "or by its stem alone");
    ok(pairs_find_mask(b, "x/four.jpg", "", path, sizeof path, &err) == -1 &&
           err.status == STATUS_NO_INPUT,
       "or not");
}

static bool finds(const char *where, const char *image, const char *suffix, const char *mask)
{
    struct err err;
    char path[300], folder_path[150];
    snprintf(folder_path, sizeof folder_path, "%s", in(where));
    if (pairs_find_mask(folder_path, in(image), suffix, path, sizeof path, &err))
        return mask == NULL;
    return mask && strcmp(path + strlen(folder_path) + 1, mask) == 0;
}

/* As Cellpose, nnU-Net and OME name images and masks. */
static void test_habits(void)
{
    struct err err;
    struct folder images;
    struct pairs pairs;
    char path[300], c[100], d[100];
    static const char *const files[] = {
        "c/x.png",        "c/x_masks.tif",  "c/y.png",      "c/z.ome.tif", "c/z_cp_masks.png",
        "c/u_seg.png",    "c/u.png",        "c/n_0001.png", "d/n.png",     "d/x_mask.png",
        "d/two_mask.png", "d/two_mask.tif", "d/u_label.png"};
    struct destination made;
    snprintf(c, sizeof c, "%s/c/", folder);
    snprintf(d, sizeof d, "%s/d/", folder);
    bool drawn =
        destination_set(&made, c, "", &err) == 0 && destination_set(&made, d, "", &err) == 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        drawn &= draw(files[i], 1, true);
    if (!ok(drawn, "folders as others have them"))
        return;
    ok(finds("c", "c/x.png", NULL, "x_masks.tif"), "Cellpose's masks beside their image");
    ok(finds("c", "c/z.ome.tif", NULL, "z_cp_masks.png"), ".ome.tif is one ending");
    ok(finds("c", "c/u.png", NULL, "u_seg.png"), "_seg");
    ok(finds("c", "c/y.png", NULL, NULL), "an image is not its own mask");
    ok(finds("c", "c/y.png", "", NULL), "whatever the suffix");
    ok(finds("c", "c/x.png", "_truth", NULL), "a suffix that is told is the only one");
    ok(finds("d", "c/n_0001.png", NULL, "n.png"), "nnU-Net's channels have one mask");
    ok(finds("d", "c/two.png", NULL, NULL), "two masks of one name are none");
    ok(pairs_is_result(in("c/z_cp_masks.png"), path, sizeof path) &&
           strcmp(path, in("c/z.ome.tif")) == 0,
       "a mask beside its image is a result");
    ok(!pairs_is_result(in("d/x_mask.png"), path, sizeof path), "elsewhere it may be anything");
    ok(folder_list(&images, c, "", &err) == 0 && pairs_find_image(&images, in("d/n.png")) == NULL,
       "the mask of a channel that is not the first");
    const char *image = pairs_find_image(&images, in("c/x_masks.tif"));
    ok(image && strcmp(image + strlen(image) - 5, "x.png") == 0, "a mask's image");
    ok(pairs_find_image(&images, in("c/y.png")) == NULL, "is not itself");
    folder_free(&images);
    remove(in("d/two_mask.tif"));
    remove(in("c/n_0001.png"));
    ok(pairs_match(&pairs, c, NULL, d, NULL, &err) == 0 && pairs.matched_count == 2,
       "folders with several habits match");
    is_str(strrchr(pairs.matched[0].a, '/'), "/u_seg.png", "by their masks, not their images");
    pairs_free(&pairs);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        remove(in(files[i]));
    remove(in("c"));
    remove(in("d"));
}

static void test_rows(void)
{
    struct err err;
    struct rows rows, mask;
    struct array window;
    if (!ok(draw("rgb.png", 3, false) && draw("mask.png", 1, true), "an image and a mask") ||
        !ok(rows_open(&rows, in("rgb.png"), CHANNELS_GRAY, &err) == 0, "rows of an image"))
        return;
    is_int(rows.channels, 1, "made gray");
    ok(rows_need(&rows, 3, 7, &err) == 0 &&
           rows_window(&rows, 2, 4, 5, 3, &window, NULL, &err) == 0,
       "a window of them");
    is_int(((uint8_t *)window.data)[1 * 5 + 2], (4 + 1) * 10 + 2 + 2 + 1, "has the image's values");
    array_free(&window);
    ok(rows_need(&rows, 8, 30, &err) == 0 &&
           rows_window(&rows, 18, 8, 4, 4, &window, NULL, &err) == 0,
       "a window over the corner");
    is_int(((uint8_t *)window.data)[3 * 4 + 3], 0, "is 0 outside");
    array_free(&window);
    ok(rows_open_mask(&mask, in("mask.png"), &rows, &err) == 0, "rows of a mask");
    is_int(mask.maximum, 255, "in black and white");
    ok(rows_need(&mask, 0, 10, &err) == 0 && *(uint8_t *)band_row(&mask.band, 5) == 1,
       "which is 0 and 1");
    rows_close(&mask);
    ok(rows_open_mask(&mask, in("rgb.png"), &rows, &err) == -1 && err.status == STATUS_DATA,
       "a mask in colors is refused");
    rows_close(&mask);
    rows_close(&rows);
    rows_close(&rows);
}

static void test_values(void)
{
    struct err err;
    struct image_values values;
    float row[20 * 4];
    ok(draw("rgba.png", 4, false) &&
           image_values_open(&values, in("rgba.png"), 4, IMAGE_AS_STORED, &err) == 0,
       "values of an image");
    is_int(values.channels, 3, "without alpha");
    int rc = 0;
    for (int y = 0; y <= 4; y++)
        rc |= image_values_row(&values, row, &err);
    ok(rc == 0 && row[3 * 6 + 2] == 40 + 6 + 2, "as they are stored");
    ok(image_values_check_shares(&values, "rgba.png", &err) == -1, "are no probabilities");
    image_values_close(&values);
    ok(image_values_open(&values, in("mask.png"), 4, IMAGE_AS_SHARE, &err) == 0 &&
           image_values_row(&values, row, &err) == 0 && row[0] == 1 && row[19] == 0,
       "shares of the largest value");
    image_values_close(&values);
    ok(image_values_open(&values, in("none.png"), 4, IMAGE_AS_SHARE, &err) == -1, "no file");
    image_values_close(&values);
}

int main(void)
{
    tap_plan(47);
    if (!ok(mkdtemp(folder) != NULL, "a folder"))
        return tap_done();
    struct err err;
    struct destination made;
    char a[100], b[100];
    snprintf(a, sizeof a, "%s/a/", folder);
    snprintf(b, sizeof b, "%s/b/", folder);
    ok(destination_set(&made, a, "", &err) == 0 && destination_set(&made, b, "", &err) == 0,
       "with two in it");
    test_pairs();
    test_habits();
    test_rows();
    test_values();
    static const char *const files[] = {"a/one_pred.png",
                                        "a/two_pred.png",
                                        "a/other.png",
                                        "b/one.png",
                                        "b/three.tif",
                                        "rgb.png",
                                        "mask.png",
                                        "rgba.png",
                                        "a",
                                        "b",
                                        ""};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        remove(in(files[i]));
    return tap_done();
}
