/* Tensor streams: their samples, what KEY.json says, the images and masks of tiles; and what was
 * read is written and read again as the same. */
#include "stream/stream.h"
#include "core/crc32c.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/tar.h"

FUZZ_PARTS(&tar_kind)

static void look_at_meta(struct sample *sample)
{
    struct tile_meta meta;
    struct err err;
    double offset, gain;
    char image[64];
    if (sample_get_meta(sample, &meta, &err))
        return;
    char *key = sample_key_from_path(meta.source);
    if (!key || !sample_key_is_valid(key) || meta.source[sizeof meta.source - 1])
        abort();
    sample_image_key(sample->key, image, sizeof image);
    sample_scale(&meta, meta.index % 2 ? DTYPE_U8 : DTYPE_F32, meta.count % 2, &offset, &gain);
    (void)!sample_put_meta(sample, &meta, &err);
    free(key);
}

static void look(struct sample *sample)
{
    static const char *const names[] = {"image", "mask", "prob", "logits", "flows", "uncertainty"};
    struct array *array, made;
    struct err err;
    look_at_meta(sample);
    (void)!sample_note_key(sample, "another/key", &err);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)!sample_seek(sample, names[i], &array, &err);
    if (array_new(&made, DTYPE_U8, 2, (size_t[]){1, 1}, &err))
        abort();
    if (sample_put_array(sample, "image", &made, &err) == 0)
        sample_drop_array(sample, "image");
}

static void add(uint32_t *sum, const void *bytes, size_t size)
{
    *sum = crc32c(crc32c(*sum, &size, sizeof size), bytes, size);
}

/* A '_' may have been added to the key. */
static void add_sample(uint32_t *sum, const struct sample *sample)
{
    size_t length = strlen(sample->key);
    while (length && sample->key[length - 1] == '_')
        length--;
    add(sum, sample->key, length);
    for (size_t i = 0; i < sample->count; i++) {
        const struct member *m = &sample->members[i];
        add(sum, m->name, strlen(m->name));
        add(sum, m->is_array ? m->array.data : m->bytes,
            m->is_array ? array_bytes(&m->array) : m->size);
    }
}

/* What there is in a stream that comes to its end; false for another. */
static bool sum_of(const char *path, uint32_t *sum)
{
    struct stream_reader *reader;
    struct sample sample;
    struct err err;
    int result;
    if (stream_open(&reader, path, &err))
        return false;
    *sum = 0;
    while ((result = stream_next(reader, &sample, &err)) == 1) {
        add_sample(sum, &sample);
        sample_free(&sample);
    }
    result = result == 0 ? stream_failed(reader, &err) : -1;
    *sum += (uint32_t)result;
    stream_close(reader);
    return result >= 0;
}

/* The rest of the stream, after its first sample. */
static int pass_on(struct stream_reader *reader, struct stream_writer *writer,
                   struct sample *sample, uint32_t *sum)
{
    struct err err;
    int result = 1;
    while (result == 1) {
        add_sample(sum, sample);
        result = stream_put(writer, sample, &err) ? -1 : 0;
        sample_free(sample);
        if (result == 0)
            result = stream_next(reader, sample, &err);
    }
    if (result < 0)
        return -1;
    result = stream_pass_failures(writer, reader, &err);
    *sum += (uint32_t)result;
    return result < 0 ? -1 : 0;
}

/* Through a pipe, which small streams fit into. */
static void write_back(struct stream_reader *reader)
{
    static const struct stream_author author = {
        .program = "fuzz", .arguments = "\xff", .images = 1};
    struct stream_writer *writer;
    struct sample sample;
    struct err err;
    struct fuzz_pipe pipe;
    uint32_t sum = 0, back = 1;
    if (stream_next(reader, &sample, &err) != 1)
        return;
    fuzz_pipe_open(&pipe);
    if (stream_create(&writer, pipe.to, &author, reader, &err))
        abort();
    bool whole = pass_on(reader, writer, &sample, &sum) == 0;
    if (!whole)
        stream_abort(writer);
    else if (stream_commit(writer, &err))
        abort();
    close(pipe.ends[1]);
    if (sum_of(pipe.from, &back) != whole || (whole && back != sum))
        abort();
    close(pipe.ends[0]);
}

static void read_all(struct stream_reader *reader)
{
    struct sample sample;
    struct err err;
    while (stream_next(reader, &sample, &err) == 1) {
        for (size_t i = 0; i < sample.count; i++)
            if (sample.members[i].end < 0)
                abort();
        look(&sample);
        sample_free(&sample);
    }
    (void)stream_provenance(reader);
    (void)stream_failed(reader, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream_reader *reader;
    struct err err;
    if (size > PARTS_ROOM || stream_open_seekable(&reader, fuzz_file(data, size), &err))
        return 0;
    (void)stream_keep_places(reader);
    read_all(reader);
    if (stream_rewind(reader, &err) == 0)
        write_back(reader);
    stream_close(reader);
    return 0;
}
