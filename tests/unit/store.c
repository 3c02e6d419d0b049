#include "stream/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/guard.h"
#include "pixels/planes.h"
#include "stream/stream.h"
#include "tests/tap.h"

#define LONG_FOLDER                                                                                \
    "a-folder-whose-name-is-long/another-folder-whose-name-is-long/and-one-more-of-the-same-kind/" \
    "and-one-more-of-the-same-kind/and-one-more-of-the-same-kind/"

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

static void check_store(void)
{
    struct store *store;
    struct stored got = {0};
    struct sample a = make_sample("a", 5, 7, DTYPE_U8), b = make_sample("x/b", 64, 33, DTYPE_U16);
    struct tile_meta meta = {
        .scale_x = 1, .scale_y = 1, .normalize_offset = 100, .normalize_gain = 0.25};
    char first[65], second[65];
    ok(!sample_put_meta(&b, &meta, &err) && !store_new(&store, &err), "a store");
    ok(!store_add(store, &a, &err), "takes a sample");
    store_digest(store, first);
    ok(!store_add(store, &b, &err) && store_count(store) == 2, "and another");
    store_digest(store, second);
    ok(strlen(first) == 64 && strcmp(first, second) != 0, "the digest follows the data");
    ok(!store_read(store, 1, &got, &err) && strcmp(got.key, "x/b") == 0 &&
           memcmp(got.image.data, sample_array(&b, "image")->data, 64 * 33 * 2) == 0 &&
           memcmp(got.mask.data, sample_array(&b, "mask")->data, 64 * 33 * 2) == 0,
       "reads the second");
    ok(got.offset == 100 && got.gain == 0.25, "with its normalization");
    ok(!store_read(store, 0, &got, &err) && got.image.shape[1] == 7 &&
           memcmp(got.image.data, sample_array(&a, "image")->data, 35) == 0,
       "then the first");
    is_near(got.gain, 1 / 255., 1e-12, "uint8 / 255 by default");
    sample_drop_array(&a, "mask");
    ok(store_add(store, &a, &err) == -1 && err.status == STATUS_DATA && strstr(err.message, "'a'"),
       "refused, and named: %s", err.message);
    ok(store_count(store) == 2, "a refused sample leaves nothing");
    store_take_unlabeled(store);
    ok(!store_add(store, &a, &err) && !store_add(store, &b, &err), "unless it is asked for");
    ok(store_count(store) == 4 && store_labeled(store) == 3, "three have masks");
    ok(!store_read(store, 3, &got, &err) && strcmp(got.key, "a") == 0 && !got.mask.data &&
           memcmp(got.image.data, sample_array(&a, "image")->data, 35) == 0,
       "the one without comes last");
    ok(!store_read(store, 2, &got, &err) && strcmp(got.key, "x/b") == 0 && got.mask.data &&
           memcmp(got.mask.data, sample_array(&b, "mask")->data, 64 * 33 * 2) == 0,
       "after those with masks");
    stored_free(&got);
    store_free(store);
    sample_free(&a);
    sample_free(&b);
}

/* A stream of three samples in a file, then another of one in the same file. */
static void write_file(const char *path)
{
    struct stream_author author = {.program = "test", .arguments = ""};
    FILE *all = fopen(path, "wb");
    for (int i = 0; all && i < 2; i++) {
        struct stream_writer *writer;
        char part[64], bytes[1 << 16];
        size_t n = 0;
        snprintf(part, sizeof part, "%s.part", path);
        if (guard_rewrites(part, &err) || stream_create(&writer, part, &author, NULL, &err))
            exit(1);
        for (int j = 0; j < (i ? 1 : 3); j++) {
            char key[250]; /* one is too long for a plain header */
            snprintf(key, sizeof key, "%s%d-%d", j == 1 ? LONG_FOLDER : "", i, j);
            struct sample s =
                make_sample(key, 5 + (size_t)j, 7 + (size_t)i, j == 2 ? DTYPE_U16 : DTYPE_U8);
            if (stream_put(writer, &s, &err))
                exit(1);
            sample_free(&s);
        }
        FILE *in = stream_commit(writer, &err) ? NULL : fopen(part, "rb");
        while (in && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
            fwrite(bytes, 1, n, all);
        if (!in || fclose(in) || remove(part))
            exit(1);
    }
    if (!all || fclose(all))
        exit(1);
}

static uint64_t told;

static void tell(const char *unit, uint64_t done, uint64_t total)
{
    told = total == 0 && strcmp(unit, "samples read") == 0 ? done : 0;
}

/* Samples that stay in their file. */
static struct store *place_file(const char *path)
{
    struct store *store;
    if (store_new(&store, &err) || store_stream(store, path, tell, &err))
        exit(1);
    ok(store_count(store) == 4 && told == 4, "four samples of a stream");
    return store;
}

static struct store *copy_file(const char *path)
{
    struct store *store;
    struct stream_reader *reader;
    struct sample s;
    int got;
    if (store_new(&store, &err) || stream_open(&reader, path, &err))
        exit(1);
    while ((got = stream_next(reader, &s, &err)) > 0) {
        if (store_add(store, &s, &err))
            exit(1);
        sample_free(&s);
    }
    stream_close(reader);
    ok(got == 0 && store_count(store) == 4, "four samples");
    return store;
}

static void check_file(void)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/store-test-%ld.tar", (long)getpid());
    write_file(path);
    struct store *copied = copy_file(path), *placed = place_file(path);
    struct stored a = {0}, b = {0};
    char one[65], two[65];
    bool same = true;
    for (size_t i = 0; i < 4; i++)
        same = same && !store_read(copied, i, &a, &err) && !store_read(placed, i, &b, &err) &&
               strcmp(a.key, b.key) == 0 && array_bytes(&a.image) == array_bytes(&b.image) &&
               memcmp(a.image.data, b.image.data, array_bytes(&a.image)) == 0 &&
               memcmp(a.mask.data, b.mask.data, array_bytes(&a.mask)) == 0;
    ok(same, "pixels that stay in their file are those that were copied");
    store_digest(copied, one);
    store_digest(placed, two);
    is_str(one, two, "and so is their digest");
    ok(store_size(copied) - store_size(placed) == 547,
       "but they are not copied: %llu bytes instead of %llu",
       (unsigned long long)store_size(placed), (unsigned long long)store_size(copied));
    FILE *file = fopen(path, "r+b");
    ok(file && fwrite("?", 1, 1, file) == 1 && fclose(file) == 0 &&
           store_read(placed, 0, &b, &err) == -1 && err.status == STATUS_DATA,
       "a file that is changed meanwhile: %s", err.message);
    ok(!store_read(copied, 0, &a, &err), "is of no concern to a copy");
    stored_free(&a);
    stored_free(&b);
    store_free(copied);
    store_free(placed);
    remove(path);
}

static void check_planes(void)
{
    uint8_t colors[] = {10, 20, 30, 40, 50, 60};
    uint16_t gray[] = {1000, 65535};
    float out[9];
    struct array rgb = array_view(DTYPE_U8, 3, (size_t[]){1, 2, 3}, colors);
    struct array mono = array_view(DTYPE_U16, 3, (size_t[]){1, 2, 1}, gray);
    ok(!planes_of(&rgb, 0, 1, 3, 1, out, &err) && out[0] == 10 && out[1] == 40 && out[5] == 60,
       "interleaved colors become planes");
    ok(!planes_of(&rgb, 0, 1, 1, 1, out, &err) && fabs(out[0] - 18.15) < 1e-5 &&
           fabs(out[1] - 48.15) < 1e-5,
       "or their luma, not rounded");
    ok(!planes_of(&mono, 0, 1 / 65535., 3, 1, out, &err) && out[1] == 1 && out[5] == 1,
       "gray is repeated");
    ok(!planes_of(&mono, 1000, 0.5, 1, 1, out, &err) && out[0] == 0 && out[1] == 32267.5f,
       "offset and gain");
    ok(!planes_of(&mono, 1000, 1, 1, 3, out, &err) && out[0] == 0 && out[1] == out[2] &&
           out[1] == 64535 && memcmp(out, out + 3, 12) == 0 && memcmp(out, out + 6, 12) == 0,
       "sides that are multiples, of repeated borders");
    ok(planes_of(&rgb, 0, 1, 5, 1, out, &err) == -1, "five planes of three colors are refused");
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
    tap_plan(30);
    check_store();
    check_file();
    check_planes();
    check_classes();
    return tap_done();
}
