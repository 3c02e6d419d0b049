/* Which images to annotate next: what is measured, and in which order they are chosen. */
#include <math.h>

#include "scores/choose.h"
#include "tests/tap.h"

static struct err err;

static void check_measures(void)
{
    const float intensity[] = {0, 0.5f, 0.99f, 1}, foreground[] = {0, 0.05f, 0.4f, 0.9f};
    const float uncertainty[] = {1, 1, 0.8f, 0.2f};
    struct choose_image image;
    choose_measure(&image, intensity, foreground, uncertainty, 4);
    ok(fabs(image.unsure - 0.5) < 1e-6, "unsure where a cell may be: %g", image.unsure);
    ok(image.covered == 0.25, "covered: %g", image.covered);
    ok(image.features[0] == 0.25f && image.features[8] == 0.25f && image.features[15] == 0.5f,
       "a histogram of intensity");
    ok(image.features[CHOOSE_BINS] == 0.5f && image.features[CHOOSE_BINS + 6] == 0.25f &&
           image.features[CHOOSE_BINS + 14] == 0.25f,
       "and one of probability");
    choose_measure(&image, intensity, intensity, uncertainty, 0);
    ok(image.unsure == 0 && image.covered == 0, "no pixels, no numbers that are none");
}

/* Images whose intensity is all in one bin. */
static struct choose_image plain(double unsure, int bin)
{
    struct choose_image image = {.unsure = unsure};
    image.features[bin] = 1;
    return image;
}

static void check_order(void)
{
    const struct choose_image images[] = {plain(0.5, 2), plain(0.8, 9), plain(0.8, 9),
                                          plain(0.3, 15), plain(0, 3)};
    struct choice c[6];
    ok(choose_images(images, NULL, 5, c, 3, &err) == 3, "three of five");
    ok(c[0].image == 1 && isnan(c[0].distance) && fabs(c[0].score - 1) < 1e-9,
       "the most unsure first");
    ok(c[1].image == 0, "then what is unsure and unlike it, not its twin");
    ok(fabs(c[1].distance - sqrt(7.0 / 16)) < 1e-6, "the distance of histograms: %g",
       c[1].distance);
    ok(c[2].image == 3, "then the third kind");
    ok(choose_images(images, NULL, 5, c, 6, &err) == 5, "no more than there are");
    ok(c[4].image == 2 && c[4].score == 0, "a twin is last");
    const bool done[] = {false, true, false, false, false};
    ok(choose_images(images, done, 5, c, 1, &err) == 1 && c[0].image == 0 && !isnan(c[0].distance),
       "neither what is done nor what is like it");
    const bool all[] = {true, true, true, true, true};
    ok(choose_images(images, all, 5, c, 2, &err) == 0, "nothing is left");
    const struct choose_image sure[] = {plain(0, 1), plain(0, 14), plain(0, 2)};
    ok(choose_images(sure, NULL, 3, c, 2, &err) == 2 && c[1].image == 1,
       "where all is sure, variety counts");
}

int main(void)
{
    tap_plan(15);
    check_measures();
    check_order();
    return tap_done();
}
