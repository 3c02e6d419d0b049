#include "stream/walk.h"

static int fail(const struct stream_reader *reader, const struct sample *sample, struct err *err)
{
    if (err->status == STATUS_DATA || err->status == STATUS_MEMORY)
        err_prefix(err, "read '%s': sample '%s'", stream_name(reader), sample->key);
    return -1;
}

int stream_walk(const char *path, stream_take *take, void *user, struct err *err)
{
    struct stream_reader *reader;
    struct sample sample;
    int more, rc = 0;
    if (stream_open(&reader, path, err))
        return -1;
    while (rc == 0 && (more = stream_next(reader, &sample, err)) != 0) {
        if (more < 0)
            rc = -1;
        else if (take(user, &sample, err))
            rc = fail(reader, &sample, err);
        if (more > 0)
            sample_free(&sample);
    }
    if (rc == 0)
        rc = stream_failed(reader, err);
    stream_close(reader);
    return rc;
}
