/* Tensor streams: their samples, what KEY.json says, and the images and masks of tiles. */
#include "stream/stream.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/tar.h"

FUZZ_PARTS(&tar_kind)

static void look(struct sample *sample)
{
    static const char *const names[] = {"image", "mask", "prob", "logits", "flows", "uncertainty"};
    struct tile_meta meta;
    struct err err;
    if (sample_get_meta(sample, &meta, &err) == 0) {
        if (meta.source[sizeof meta.source - 1])
            abort();
        (void)!sample_put_meta(sample, &meta, &err);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (sample_require(sample, names[i], &err) && !sample_array(sample, names[i]))
            abort();
}

static void read_all(struct stream_reader *reader)
{
    struct sample sample;
    struct err err;
    while (stream_next(reader, &sample, &err) == 1) {
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
    read_all(reader);
    if (stream_rewind(reader, &err) == 0)
        read_all(reader);
    stream_close(reader);
    return 0;
}
