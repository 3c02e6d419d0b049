#include "stream/spool.h"

#include <stdlib.h>

#include "ops/planes.h"
#include "tests/tap.h"

static struct err err;

static struct sample make_sample(const char *key, size_t h, size_t w, enum dtype dtype)
{
    struct sample s;
    struct array image, mask;
    if (sample_init(&s, key, &err) || array_new(&image, dtype, 3, (size_t[]){h, w, 1}, &err) ||
        array_new(&mask, DTYPE_U16, 2, (size_t[]){h, w}, &err))
        exit(1);
    for (size_t i = 0; i < array_bytes(&image); i++)
        ((uint8_t *)image.data)[i] = (uint8_t)(i * 31 + h);
    for (size_t i = 0; i < h * w; i++)
        ((uint16_t *)mask.data)[i] = (uint16_t)(i % 300);
    if (sample_put_array(&s, "image", &image, &err) || sample_put_array(&s, "mask", &mask, &err))
        exit(1);
    return s;
}

static void check_spool(void)
{
    struct spool *spool;
    struct spooled got = {0};
    struct sample a = make_sample("a", 5, 7, DTYPE_U8), b = make_sample("x/b", 64, 33, DTYPE_U16);
    struct tile_meta meta = {
        .scale_x = 1, .scale_y = 1, .normalise_offset = 100, .normalise_gain = 0.25};
    char first[65], second[65];
    ok(!sample_put_meta(&b, &meta, &err) && !spool_new(&spool, &err), "a spool");
    ok(!spool_add(spool, &a, &err), "takes a sample");
    spool_digest(spool, first);
    ok(!spool_add(spool, &b, &err) && spool_count(spool) == 2, "and another");
    spool_digest(spool, second);
    ok(strlen(first) == 64 && strcmp(first, second) != 0, "the digest follows the data");
    ok(!spool_read(spool, 1, &got, &err) && strcmp(got.key, "x/b") == 0 &&
           memcmp(got.image.data, sample_array(&b, "image")->data, 64 * 33 * 2) == 0 &&
           memcmp(got.mask.data, sample_array(&b, "mask")->data, 64 * 33 * 2) == 0,
       "reads the second");
    ok(got.offset == 100 && got.gain == 0.25, "with its normalisation");
    ok(!spool_read(spool, 0, &got, &err) && got.image.shape[1] == 7 &&
           memcmp(got.image.data, sample_array(&a, "image")->data, 35) == 0,
       "then the first");
    is_near(got.gain, 1 / 255., 1e-12, "uint8 / 255 by default");
    sample_drop_array(&a, "mask");
    ok(spool_add(spool, &a, &err) == -1 && err.status == STATUS_DATA && strstr(err.message, "'a'"),
       "refused, and named: %s", err.message);
    ok(spool_count(spool) == 2, "a refused sample leaves nothing");
    spooled_free(&got);
    spool_free(spool);
    sample_free(&a);
    sample_free(&b);
}

static void check_planes(void)
{
    uint8_t colours[] = {10, 20, 30, 40, 50, 60};
    uint16_t grey[] = {1000, 65535};
    float out[6];
    struct array rgb = array_view(DTYPE_U8, 3, (size_t[]){1, 2, 3}, colours);
    struct array mono = array_view(DTYPE_U16, 3, (size_t[]){1, 2, 1}, grey);
    ok(!planes_of(&rgb, 0, 1, 3, out, &err) && out[0] == 10 && out[1] == 40 && out[5] == 60,
       "interleaved colours become planes");
    ok(!planes_of(&rgb, 0, 1, 1, out, &err) && out[0] == 18 && out[1] == 48, "or their luma");
    ok(!planes_of(&mono, 0, 1 / 65535., 3, out, &err) && out[1] == 1 && out[5] == 1,
       "grey is repeated");
    ok(!planes_of(&mono, 1000, 0.5, 1, out, &err) && out[0] == 0 && out[1] == 32267.5f,
       "offset and gain");
    ok(planes_of(&rgb, 0, 1, 5, out, &err) == -1, "five planes of three colours are refused");
}

static void check_classes(void)
{
    uint16_t labels[] = {0, 1, 300, 2};
    uint8_t out[4];
    struct array mask = array_view(DTYPE_U16, 2, (size_t[]){2, 2}, labels);
    ok(!planes_classes(&mask, 2, out, &err) && !out[0] && out[1] == 1 && out[2] == 1 && out[3] == 1,
       "two classes: every label but 0 is foreground");
    ok(planes_classes(&mask, 3, out, &err) == -1, "three classes: 300 is refused");
    labels[2] = 0;
    ok(!planes_classes(&mask, 3, out, &err) && out[3] == 2, "labels are classes");
}

int main(void)
{
    check_spool();
    check_planes();
    check_classes();
    return tap_done();
}
