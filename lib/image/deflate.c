#include "image/deflate.h"

#include <stdbool.h>
#include <stdlib.h>

#include <zlib.h>

#define STRING_LEVEL 6
/* Strings are tried where runs alone shrink a block to less than a tenth, but
 * not to a hundredth, as masks of two values: there is little left to gain. */
#define SOME_RUNS 10
#define ALL_RUNS  100

struct coder {
    z_stream stream;
    bool is_open;
    uint8_t *out;
    size_t room, size;
};

struct deflater {
    struct coder runs, strings;
};

static int coder_open(struct coder *coder, int level, int strategy)
{
    coder->is_open =
        deflateInit2(&coder->stream, level, Z_DEFLATED, MAX_WBITS, MAX_MEM_LEVEL, strategy) == Z_OK;
    return coder->is_open ? 0 : -1;
}

static void coder_close(struct coder *coder)
{
    if (coder->is_open)
        deflateEnd(&coder->stream);
    free(coder->out);
}

int deflater_new(struct deflater **result, struct err *err)
{
    struct deflater *deflater = calloc(1, sizeof *deflater);
    if (!deflater)
        return err_memory(err, "compression");
    if (coder_open(&deflater->runs, 1, Z_RLE) ||
        coder_open(&deflater->strings, STRING_LEVEL, Z_DEFAULT_STRATEGY)) {
        deflater_free(deflater);
        return err_memory(err, "compression");
    }
    *result = deflater;
    return 0;
}

void deflater_free(struct deflater *deflater)
{
    if (!deflater)
        return;
    coder_close(&deflater->runs);
    coder_close(&deflater->strings);
    free(deflater);
}

static int make_room(struct coder *coder, size_t size, struct err *err)
{
    size_t needed = deflateBound(&coder->stream, size);
    if (needed <= coder->room)
        return 0;
    uint8_t *out = realloc(coder->out, needed);
    if (!out)
        return err_memory(err, "compression");
    coder->out = out;
    coder->room = needed;
    return 0;
}

static int code(struct coder *coder, const void *from, size_t size, struct err *err)
{
    if (deflateReset(&coder->stream) != Z_OK || make_room(coder, size, err))
        return err_memory(err, "compression");
    coder->stream.next_in = (z_const Bytef *)from;
    coder->stream.avail_in = (uInt)size;
    coder->stream.next_out = coder->out;
    coder->stream.avail_out = (uInt)coder->room;
    int state = deflate(&coder->stream, Z_FINISH);
    if (state != Z_STREAM_END || coder->stream.avail_in)
        return err_set(err, STATUS_BUG, "deflate failed with %d", state);
    coder->size = coder->room - coder->stream.avail_out;
    return 0;
}

int deflater_block(struct deflater *deflater, const void *from, size_t size, const uint8_t **to,
                   size_t *to_size, struct err *err)
{
    struct coder *best = &deflater->runs;
    if (code(best, from, size, err))
        return -1;
    if (best->size < size / SOME_RUNS && best->size > size / ALL_RUNS) {
        if (code(&deflater->strings, from, size, err))
            return -1;
        if (deflater->strings.size < best->size)
            best = &deflater->strings;
    }
    *to = best->out;
    *to_size = best->size;
    return 0;
}
