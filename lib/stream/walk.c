#include "stream/walk.h"

#include <stdio.h>
#include <string.h>

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
        else if (take(user, reader, &sample, err))
            rc = fail(reader, &sample, err);
        if (more > 0)
            sample_free(&sample);
    }
    if (rc == 0)
        rc = stream_failed(reader, err);
    stream_close(reader);
    return rc;
}

void walk_progress(struct walk_place *place, const struct tile_meta *meta, uint64_t announced,
                   void (*progress)(const char *unit, uint64_t done, uint64_t total))
{
    bool same = place->images && meta->index > place->index &&
                strncmp(place->source, meta->source, sizeof place->source) == 0;
    bool last = meta->index + 1 >= meta->count;
    place->samples++;
    place->images += !same;
    place->index = meta->index;
    if (!same)
        snprintf(place->source, sizeof place->source, "%s", meta->source);
    if (announced == 1 && meta->count > 0 && (int64_t)place->samples <= meta->count)
        progress("tiles", place->samples, (uint64_t)meta->count);
    else if (announced > 1 && place->images <= announced)
        progress("images", place->images - !last, announced);
    else
        progress("tiles", place->samples, 0);
}
