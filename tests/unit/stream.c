/* lib/stream: what is written is read again, and nothing that was cut or bent is. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/guard.h"
#include "stream/npy.h"
#include "stream/stream.h"
#include "stream/walk.h"
#include "tests/tap.h"

static char folder[] = "/tmp/stream-test-XXXXXX";

static char *path_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static struct array numbers(enum dtype dtype, int ndim, const size_t *shape)
{
    struct err err;
    struct array array;
    if (array_new(&array, dtype, ndim, shape, &err))
        exit(1);
    unsigned char *data = array.data;
    for (size_t i = 0; i < array_bytes(&array); i++)
        data[i] = (unsigned char)(i * 7 + 1);
    return array;
}

static void fill(struct sample *sample, const char *key)
{
    struct err err;
    struct array image = numbers(DTYPE_U8, 3, (size_t[]){5, 7, 3});
    struct array mask = numbers(DTYPE_U16, 2, (size_t[]){5, 7});
    struct tile_meta meta = {.source = "a b.tif",
                             .source_width = 40,
                             .x = -3,
                             .scale_x = 0.5,
                             .scale_y = 1,
                             .index = 2,
                             .count = 9,
                             .pad_left = 3};
    ok(sample_init(sample, key, &err) == 0 &&
           sample_put_array(sample, "image", &image, &err) == 0 &&
           sample_put_array(sample, "mask", &mask, &err) == 0 &&
           sample_put_bytes(sample, "note.txt", "hello", 5, &err) == 0 &&
           sample_put_meta(sample, &meta, &err) == 0,
       "a sample is made");
}

static bool write_stream(const char *path, int samples)
{
    struct err err;
    struct stream_writer *writer;
    struct stream_author author = {.program = "test", .arguments = "test 'x'", .seed = "7"};
    if (guard_rewrites(path, &err) || stream_create(&writer, path, &author, NULL, &err))
        return false;
    for (int i = 0; i < samples; i++) {
        char key[20];
        struct sample sample;
        snprintf(key, sizeof key, "dir/k_%d", i);
        fill(&sample, key);
        if (stream_put(writer, &sample, &err))
            return false;
        sample_free(&sample);
    }
    return stream_commit(writer, &err) == 0;
}

/* The number of samples, or -1 when the reader refuses, with its message. */
static int count_samples(const char *path, struct err *err)
{
    struct stream_reader *reader;
    struct sample sample;
    int result, count = 0;
    if (stream_open(&reader, path, err))
        return -1;
    while ((result = stream_next(reader, &sample, err)) > 0) {
        count++;
        sample_free(&sample);
    }
    stream_close(reader);
    return result < 0 ? -1 : count;
}

static void check_first(struct stream_reader *reader)
{
    struct err err;
    struct sample got, made;
    struct tile_meta meta;
    fill(&made, "dir/k_0");
    is_int(stream_next(reader, &got, &err), 1, "a sample comes back");
    is_str(got.key, "dir/k_0", "with its key");
    is_int((long long)got.count, 4, "and its members");
    for (size_t i = 0; i < 2; i++) {
        struct array *a = &got.members[i].array, *b = &made.members[i].array;
        ok(a->dtype == b->dtype && a->ndim == b->ndim &&
               memcmp(a->shape, b->shape, sizeof a->shape) == 0 &&
               memcmp(a->data, b->data, array_bytes(b)) == 0,
           "array %s is the same", got.members[i].name);
        ok((size_t)a->data % 64 == 0, "and aligned");
    }
    struct member *note = sample_member(&got, "note.txt");
    ok(note && note->size == 5 && memcmp(note->bytes, "hello", 5) == 0, "bytes are the same");
    is_int(sample_get_meta(&got, &meta, &err), 0, "KEY.json is read");
    ok(strcmp(meta.source, "a b.tif") == 0 && meta.x == -3 && meta.scale_x == 0.5 &&
           meta.index == 2 && meta.count == 9 && meta.pad_left == 3,
       "with its values");
    ok(sample_require(&got, "image", &err) != NULL, "the image is what it should be");
    ok(sample_require(&got, "prob", &err) == NULL, "what is not there is missed");
    is_str(err.message, "'dir/k_0.prob.npy' is missing", "with a message");
    sample_free(&got);
    sample_free(&made);
}

static char told[100];

static void note_progress(const char *unit, uint64_t done, uint64_t total)
{
    snprintf(told, sizeof told, "%d of %d %s", (int)done, (int)total, unit);
}

/* Tiles of images of 2 tiles each: what is said after the last of `tiles`. */
static const char *told_after(int tiles, uint64_t announced, int64_t count)
{
    struct walk_place at = {0};
    for (int i = 0; i < tiles; i++) {
        struct tile_meta meta = {.index = i % count, .count = count};
        snprintf(meta.source, sizeof meta.source, "%d.png", i / (int)count);
        walk_progress(&at, &meta, announced, note_progress);
    }
    return told;
}

static void test_progress(void)
{
    is_str(told_after(3, 5, 2), "1 of 5 images", "images that are done, of those announced");
    is_str(told_after(4, 5, 2), "2 of 5 images", "an image ends with its last tile");
    is_str(told_after(3, 1, 8), "3 of 8 tiles", "tiles of the only image");
    is_str(told_after(3, 0, 2), "3 of 0 tiles", "no total where none was announced");
    is_str(told_after(8, 3, 2), "8 of 0 tiles", "nor where there are more than announced");
}

static void test_round_trip(void)
{
    struct err err;
    struct sample sample;
    struct stream_reader *reader;
    ok(write_stream(path_of("a.tar"), 2), "a stream is written");
    is_int(stream_open(&reader, path_of("a.tar"), &err), 0, "and opened");
    check_first(reader);
    ok(strstr(stream_provenance(reader), "\"arguments\":\"test 'x'\"") != NULL,
       "provenance is there");
    is_int(stream_next(reader, &sample, &err), 1, "a second sample");
    sample_free(&sample);
    is_int(stream_next(reader, &sample, &err), 0, "and the end");
    is_int(stream_next(reader, &sample, &err), 0, "which stays the end");
    stream_close(reader);
}

static char *load(const char *path, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st))
        exit(1);
    char *data = malloc((size_t)st.st_size + 1);
    *size = (size_t)st.st_size;
    if (!data || read(fd, data, *size) != (ssize_t)*size)
        exit(1);
    close(fd);
    return data;
}

static void store(const char *path, const char *a, size_t n, const char *b, size_t m)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, a, n) != (ssize_t)n || write(fd, b, m) != (ssize_t)m || close(fd))
        exit(1);
}

static void test_cuts(void)
{
    struct err err;
    size_t size, refused = 0, lines = 0;
    char *data = load(path_of("a.tar"), &size);
    for (size_t cut = 0; cut < size; cut++) {
        store(path_of("cut.tar"), data, cut, "", 0);
        refused += count_samples(path_of("cut.tar"), &err) == -1 && err.status == STATUS_DATA;
        lines += strchr(err.message, '\n') == NULL;
    }
    is_int((long long)refused, (long long)size, "a stream cut at any byte is refused");
    is_int((long long)lines, (long long)size, "with one line");
    store(path_of("two.tar"), data, size, data, size);
    is_int(count_samples(path_of("two.tar"), &err), 4, "two streams in a row are one");
    store(path_of("cut.tar"), data, size - 1024, data, size);
    is_int(count_samples(path_of("cut.tar"), &err), -1, "not without the first one's end");
    char zeros[2048] = {0};
    store(path_of("cut.tar"), data, size, zeros, 2048);
    is_int(count_samples(path_of("cut.tar"), &err), 2, "zero blocks may follow");
    store(path_of("cut.tar"), data, size, "x", 1);
    is_int(count_samples(path_of("cut.tar"), &err), -1, "a byte may not");
    free(data);
}

/* Every byte of the file set to another value in turn: headers have sums of their own,
 * data those that the headers tell, and the rest is zeros. */
static void test_bent_bytes(void)
{
    struct err err;
    size_t size, refused = 0;
    char *data = load(path_of("a.tar"), &size);
    for (size_t i = 0; i < size; i++) {
        data[i] ^= 0x55;
        store(path_of("bent.tar"), data, size, "", 0);
        int count = count_samples(path_of("bent.tar"), &err);
        data[i] ^= 0x55;
        refused += count == -1 && err.status == STATUS_DATA;
    }
    is_int((long long)refused, (long long)size, "any bent byte is found");
    free(data);
}

/* Where a text of the file begins. */
static char *find(char *data, size_t size, const char *text)
{
    for (size_t i = 0; i + strlen(text) <= size; i++)
        if (memcmp(data + i, text, strlen(text)) == 0)
            return data + i;
    exit(1);
}

/* Takes the sum out of the header that begins with that name, as a program would that
 * packs the archive again. */
static void forget_sum(char *header)
{
    unsigned sum = 8 * ' ';
    memset(header + 297, 0, 32);
    for (int i = 0; i < 512; i++)
        sum += i < 148 || i >= 156 ? (unsigned char)header[i] : 0;
    snprintf(header + 148, 8, "%06o", sum);
}

static void test_sums(void)
{
    struct err err;
    size_t size;
    char *data = load(path_of("a.tar"), &size);
    char *header = find(data, size, "dir/k_1.note.txt"), *note = header + 512;
    note[0] = 'j';
    store(path_of("bent.tar"), data, size, "", 0);
    is_int(count_samples(path_of("bent.tar"), &err), -1, "a member that was changed");
    ok(strstr(err.message, "'dir/k_1.note.txt' was changed: a wrong checksum") != NULL,
       "is named: %s", err.message);
    forget_sum(header);
    store(path_of("bent.tar"), data, size, "", 0);
    is_int(count_samples(path_of("bent.tar"), &err), -1, "without the sum in its header");
    ok(strstr(err.message, "its members were changed: a wrong checksum") != NULL,
       "the stream's end tells: %s", err.message);
    note[0] = 'h';
    store(path_of("bent.tar"), data, size, "", 0);
    is_int(count_samples(path_of("bent.tar"), &err), 2, "a header without a sum is read");
    header = find(data, size, "__end__");
    memset(find(header, 700, ",\"crc32c\""), ' ', strlen(",\"crc32c\":\"01234567\""));
    forget_sum(header);
    note[0] = 'j';
    store(path_of("bent.tar"), data, size, "", 0);
    is_int(count_samples(path_of("bent.tar"), &err), 2, "one of a time before sums, too");
    free(data);
}

static void test_keys(void)
{
    static const char *const good[] = {"a", "A-b_9", "dir/sub/k", "__x__"};
    static const char *const bad[] = {"",   "-a",   "a.b", "/a",  "a/",      "a//b",
                                      "..", "a/-b", "a b", "a\n", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ok(sample_key_is_valid(good[i]), "a key: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(!sample_key_is_valid(bad[i]), "no key: number %zu", i);
    static const char *const pairs[][2] = {{"imgs/a b.tif", "a_b"},
                                           {"-x.png", "_x"},
                                           {"a", "a"},
                                           {"d/a.ome.tif", "a"},
                                           {"x/.png", "_png"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *key = sample_key_from_path(pairs[i][0]);
        is_str(key ? key : "", pairs[i][1], "a key from a path");
        ok(key && sample_key_is_valid(key), "is a key");
        free(key);
    }
    static const char *const tiles[][2] = {
        {"a/224/3_5", "a"}, {"d/a/224/3_5", "d/a"}, {"a/224", "a"}, {"a", "a"}};
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        char image[20];
        sample_image_key(tiles[i][0], image, sizeof image);
        is_str(image, tiles[i][1], "what an image's tiles share");
    }
}

static void test_members(void)
{
    struct err err;
    struct sample sample;
    struct tile_meta meta = {.source = "caf\xe9.tif", .scale_x = 1, .scale_y = 1};
    ok(sample_init(&sample, "bad.key", &err) == -1, "a wrong key is refused");
    ok(sample_init(&sample, "k", &err) == 0, "a right one is not");
    is_int(sample_get_meta(&sample, &meta, &err), 1, "no KEY.json is said");
    ok(sample_put_bytes(&sample, "../x", "", 0, &err) == -1, "a wrong name is refused");
    ok(sample_put_bytes(&sample, "json", "{\"mine\":[1],\"tile\":{\"z\":3}}", 27, &err) == 0,
       "json");
    strcpy(meta.source, "caf\xe9.tif");
    meta.scale_x = meta.scale_y = 1;
    ok(sample_put_meta(&sample, &meta, &err) == 0, "meta over it");
    struct member *json = sample_member(&sample, "json");
    char *text = json ? strndup((char *)json->bytes, json->size) : strdup("");
    ok(strstr(text, "\"mine\":[1]") && strstr(text, "\"z\":3"), "keeps other fields");
    ok(strstr(text, "caf%E9.tif") != NULL, "and writes a Latin-1 name as it can");
    free(text);
    struct array mask = numbers(DTYPE_F32, 2, (size_t[]){2, 2});
    ok(sample_put_array(&sample, "mask", &mask, &err) == 0, "a mask of floats");
    ok(sample_require(&sample, "mask", &err) == NULL, "is none");
    sample_drop_array(&sample, "mask");
    ok(sample_array(&sample, "mask") == NULL && sample.count == 1, "and is dropped");
    ok(sample_put_bytes(&sample, "json", "{\"tile\":{\"x\":\"1\"}}", 18, &err) == 0 &&
           sample_get_meta(&sample, &meta, &err) == -1,
       "a place that is no number is refused");
    sample_free(&sample);
}

int main(void)
{
    tap_plan(81);
    if (!mkdtemp(folder))
        return 1;
    test_progress();
    test_round_trip();
    test_cuts();
    test_bent_bytes();
    test_sums();
    test_keys();
    test_members();
    static const char *const names[] = {"a.tar", "cut.tar", "two.tar", "bent.tar"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    rmdir(folder);
    return tap_done();
}
