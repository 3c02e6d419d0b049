#include "stream/walk.h"

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
            rc = err->status == STATUS_DATA ? err_prefix(err, "sample '%s'", sample.key) : -1;
        if (more > 0)
            sample_free(&sample);
    }
    stream_close(reader);
    return rc;
}
