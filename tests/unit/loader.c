#include "train/loader.h"

#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"

enum { SAMPLES = 7, SIZE = 8, BATCH = 2, PIXELS = BATCH * SIZE * SIZE };

static struct err err;

/* Every pixel of image i is i + 1, its mask is one cell. */
static struct store *make_store(void)
{
    struct store *store;
    if (store_new(&store, &err))
        exit(1);
    for (int i = 0; i < SAMPLES; i++) {
        char key[16];
        struct sample s;
        struct array image, mask;
        snprintf(key, sizeof key, "s%d", i);
        if (sample_init(&s, key, &err) ||
            array_new(&image, DTYPE_F32, 3, (size_t[]){SIZE, SIZE, 1}, &err) ||
            array_new(&mask, DTYPE_U8, 2, (size_t[]){SIZE, SIZE}, &err))
            exit(1);
        for (size_t j = 0; j < SIZE * SIZE; j++)
            ((float *)image.data)[j] = (float)(i + 1);
        memset(mask.data, 9, SIZE * SIZE);
        if (sample_put_array(&s, "image", &image, &err) ||
            sample_put_array(&s, "mask", &mask, &err) || store_add(store, &s, &err))
            exit(1);
        sample_free(&s);
    }
    return store;
}

static struct loader_options usual(void)
{
    struct loader_options o = {.batch = BATCH,
                               .height = SIZE,
                               .width = SIZE,
                               .ranks = 1,
                               .repeat = 1,
                               .channels = 1,
                               .classes = 2,
                               .threads = 1,
                               .seed = 3};
    if (augment_policy_parse(&o.policy, "none", &err))
        exit(1);
    return o;
}

/* What batches `first` to 3 of an epoch show: the value of each image. */
static void see(const struct store *store, const struct loader_options *options, uint64_t epoch,
                uint64_t first, float *seen)
{
    struct loader *loader;
    struct loader_batch batch;
    if (loader_new(&loader, store, options, &err) || loader_enter(loader, epoch, first, 4, &err))
        exit(1);
    for (uint64_t b = first; b < 4; b++) {
        if (loader_take(loader, &batch, &err))
            exit(1);
        for (int i = 0; i < BATCH; i++)
            *seen++ = batch.images[i * SIZE * SIZE];
        loader_done(loader);
    }
    loader_leave(loader);
    loader_free(loader);
}

static void check_order(const struct store *store)
{
    struct loader_options o = usual();
    float seen[8], again[8], next[8];
    int times[SAMPLES + 1] = {0};
    see(store, &o, 0, 0, seen);
    for (int i = 0; i < 7; i++)
        times[(int)seen[i]]++;
    bool once = true;
    for (int i = 1; i <= SAMPLES; i++)
        once = once && times[i] == 1;
    ok(once, "an epoch shows every sample once");
    ok(seen[7] == seen[0], "and is filled up with the first");
    see(store, &o, 1, 0, next);
    ok(memcmp(seen, next, sizeof seen) != 0, "the next epoch has another order");
    o.seed = 4;
    see(store, &o, 0, 0, next);
    ok(memcmp(seen, next, sizeof seen) != 0, "and so has another seed");
    o.seed = 3;
    o.threads = 3;
    see(store, &o, 0, 0, again);
    ok(memcmp(seen, again, sizeof seen) == 0, "any number of threads gives the same");
    see(store, &o, 0, 2, again);
    ok(memcmp(seen + 4, again, 4 * sizeof *seen) == 0, "an epoch is entered in its middle");
}

static void check_ranks(const struct store *store)
{
    struct loader_options o = usual();
    float whole[8], part[2][8];
    o.repeat = 2;
    o.batch = BATCH;
    o.ranks = 2;
    for (o.rank = 0; o.rank < 2; o.rank++)
        see(store, &o, 5, 0, part[o.rank]);
    struct loader *loader;
    struct loader_batch batch;
    o.rank = 0;
    o.ranks = 1;
    o.batch = 2 * BATCH;
    if (loader_new(&loader, store, &o, &err) || loader_enter(loader, 5, 0, 4, &err))
        exit(1);
    is_int((long long)loader_shown(loader), 2 * SAMPLES, "samples are repeated");
    bool same = true;
    for (int b = 0; b < 4; b++) {
        if (loader_take(loader, &batch, &err))
            exit(1);
        for (int i = 0; i < 2 * BATCH; i++)
            whole[i] = batch.images[i * SIZE * SIZE];
        same = same && memcmp(whole, part[0] + 2 * b, 2 * sizeof *whole) == 0 &&
               memcmp(whole + 2, part[1] + 2 * b, 2 * sizeof *whole) == 0;
        loader_done(loader);
    }
    ok(same, "the batches of two ranks make up that of one");
    ok(loader_take(loader, &batch, &err) == -1 && err.status == STATUS_BUG,
       "nothing comes after the end");
    loader_free(loader);
}

static void check_contents(const struct store *store)
{
    struct loader_options o = usual();
    struct loader *loader;
    struct loader_batch batch;
    o.channels = 3;
    o.flows = true;
    if (loader_new(&loader, store, &o, &err) || loader_enter(loader, 0, 0, 1, &err) ||
        loader_take(loader, &batch, &err))
        exit(1);
    ok(batch.images[0] == batch.images[2 * SIZE * SIZE] && batch.labels[0] == 1 &&
           batch.labels[PIXELS - 1] == 1,
       "gray is repeated, labels become classes");
    ok(batch.flows == batch.images + (size_t)3 * PIXELS && batch.flows[0] > 0 &&
           batch.flows[SIZE * SIZE - 1] < 0,
       "flows point to the middle of the cell");
    loader_free(loader);

    o = usual();
    o.classes = 3;
    if (loader_new(&loader, store, &o, &err) || loader_enter(loader, 0, 0, 1, &err))
        exit(1);
    ok(loader_take(loader, &batch, &err) == -1 && err.status == STATUS_DATA &&
           strstr(err.message, "sample 's"),
       "a label beyond the classes is refused: %s", err.message);
    loader_free(loader);
}

/* Five samples without masks, of value 101 to 105. */
static void add_unlabeled(struct store *store)
{
    store_take_unlabeled(store);
    for (int i = 0; i < 5; i++) {
        char key[16];
        struct sample s;
        struct array image;
        snprintf(key, sizeof key, "u%d", i);
        if (sample_init(&s, key, &err) ||
            array_new(&image, DTYPE_F32, 3, (size_t[]){SIZE, SIZE, 1}, &err))
            exit(1);
        for (size_t j = 0; j < SIZE * SIZE; j++)
            ((float *)image.data)[j] = (float)(101 + i);
        if (sample_put_array(&s, "image", &image, &err) || store_add(store, &s, &err))
            exit(1);
        sample_free(&s);
    }
}

/* Batches of five: three with masks, two without. */
static void check_unlabeled(struct store *store)
{
    struct loader_options o = usual();
    struct loader *loader;
    struct loader_batch batch;
    int times[SAMPLES + 1] = {0}, others[6] = {0}, most = 0;
    bool with = true, without = true;
    add_unlabeled(store);
    o.batch = 5;
    is_int((long long)loader_unlabeled(store, o.batch), 2, "two of five are without masks");
    if (loader_new(&loader, store, &o, &err) || loader_enter(loader, 0, 0, 3, &err))
        exit(1);
    is_int((long long)loader_shown(loader), SAMPLES, "an epoch is one of those with masks");
    for (int b = 0; b < 3; b++) {
        if (loader_take(loader, &batch, &err))
            exit(1);
        for (int i = 0; i < 5; i++) {
            int value = (int)batch.images[i * SIZE * SIZE], label = batch.labels[i * SIZE * SIZE];
            with = with && (i > 2 || (value <= SAMPLES && label == 1));
            without = without && (i < 3 || (value > 100 && label == 0));
            if (value <= SAMPLES)
                times[value]++;
            else
                most += ++others[value - 100] == 2;
        }
        loader_done(loader);
    }
    ok(with, "the first three have masks");
    ok(without, "the others have none");
    for (int i = 1; i <= SAMPLES; i++)
        with = with && times[i] >= 1;
    ok(with, "all with masks were shown");
    is_int(most, 1, "and those without about as often as each other");
    loader_free(loader);
}

int main(void)
{
    tap_plan(18);
    struct store *store = make_store();
    check_order(store);
    check_ranks(store);
    check_contents(store);
    check_unlabeled(store);
    store_free(store);
    return tap_done();
}
