/* Writing: libarchive formats the tar archive, the outfile takes its bytes. */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/npy.h"
#include "core/outfile.h"
#include "stream/control.h"
#include "stream/failures.h"
#include "stream/pipe.h"
#include "stream/stream.h"

#define MAX_MEMBER (((uint64_t)1 << 33) - 1) /* bytes that a size in a tar header may say */

struct stream_writer {
    struct outfile *out;
    struct archive *archive;
    struct archive_entry *entry;
    struct err write_err; /* of the callback; status 0 when none */
    bool discard;         /* what libarchive still writes is not wanted */
    struct stream_counts counts;
    json_t *failures;              /* an array; NULL: none */
    char key[SAMPLE_MAX_NAME + 2]; /* of the last sample; "": none */
};

/* Never fails for libarchive, which would not free all its memory then: what
 * happened is found in write_err. */
static la_ssize_t write_chunk(struct archive *archive, void *user, const void *data, size_t size)
{
    struct stream_writer *writer = user;
    (void)archive;
    if (!writer->discard)
        writer->discard = outfile_write(writer->out, data, size, &writer->write_err) != 0;
    return (la_ssize_t)size;
}

static int archive_failed(const struct stream_writer *writer, struct err *err)
{
    if (writer->write_err.status) {
        *err = writer->write_err;
        return -1;
    }
    const char *reason = archive_error_string(writer->archive);
    return err_set(err, STATUS_IO, "write '%s': %s", outfile_name(writer->out),
                   reason ? reason : "unknown failure");
}

/* ---- members ---- */

/* A header without anything of the moment, so that equal samples are equal bytes.  The
 * group's name, which nobody needs, tells the data's sum. */
static int put_header(struct stream_writer *writer, const char *name, size_t size, uint32_t crc,
                      struct err *err)
{
    char sum[CONTROL_SUM_SIZE];
    if (size > MAX_MEMBER)
        return err_set(err, STATUS_DATA, "write '%s': '%s' has 8 GiB or more",
                       outfile_name(writer->out), name);
    archive_entry_clear(writer->entry);
    archive_entry_set_pathname(writer->entry, name);
    archive_entry_set_filetype(writer->entry, AE_IFREG);
    archive_entry_set_perm(writer->entry, 0644);
    archive_entry_set_size(writer->entry, (la_int64_t)size);
    archive_entry_set_mtime(writer->entry, 0, 0);
    control_format_sum(crc, sum);
    archive_entry_set_gname(writer->entry, sum);
    if (archive_write_header(writer->archive, writer->entry) != ARCHIVE_OK ||
        writer->write_err.status)
        return archive_failed(writer, err);
    return 0;
}

static int put_data(struct stream_writer *writer, const void *data, size_t size, struct err *err)
{
    if (size && archive_write_data(writer->archive, data, size) != (la_ssize_t)size)
        return archive_failed(writer, err);
    return writer->write_err.status ? archive_failed(writer, err) : 0;
}

static int put_text(struct stream_writer *writer, const char *name, char *text, struct err *err)
{
    if (!text)
        return err_memory(err, name);
    size_t size = strlen(text);
    int bad = put_header(writer, name, size, crc32c(0, text, size), err) ||
              put_data(writer, text, size, err);
    free(text);
    return bad ? -1 : 0;
}

static int put_array(struct stream_writer *writer, const char *name, const struct array *array,
                     struct err *err)
{
    unsigned char header[NPY_HEADER_ROOM];
    size_t begin = npy_header_size(array), bytes = array_bytes(array);
    if (npy_write_header(header, array, err))
        return -1;
    uint32_t crc = crc32c(crc32c(0, header, begin), array->data, bytes);
    if (put_header(writer, name, begin + bytes, crc, err) || put_data(writer, header, begin, err))
        return -1;
    control_count(&writer->counts, name, crc);
    return put_data(writer, array->data, bytes, err);
}

static int put_member(struct stream_writer *writer, const char *key, const struct member *member,
                      struct err *err)
{
    char name[2 * SAMPLE_MAX_NAME + 2];
    snprintf(name, sizeof name, "%s.%s", key, member->name);
    if (member->is_array)
        return put_array(writer, name, &member->array, err);
    uint32_t crc = crc32c(0, member->bytes, member->size);
    if (put_header(writer, name, member->size, crc, err))
        return -1;
    control_count(&writer->counts, name, crc);
    return put_data(writer, member->bytes, member->size, err);
}

/* Two samples of one key, one after the other in streams that were joined, would be one: the
 * second's gets a '_', behind what it shares with other tiles of its image. */
static void set_key(struct stream_writer *writer, const char *key)
{
    bool again = strcmp(writer->key, key) == 0;
    size_t length = strlen(key);
    snprintf(writer->key, sizeof writer->key, "%s%s", key, again ? "_" : "");
    if (again && length == SAMPLE_MAX_NAME) {
        writer->key[length] = '\0';
        writer->key[length - 1] = key[length - 1] == '_' ? '0' : '_';
    }
}

/* A sample without members would not be there for a reader. */
int stream_put(struct stream_writer *writer, const struct sample *sample, struct err *err)
{
    if (sample->count == 0)
        return err_set(err, STATUS_BUG, "sample '%s' has no members", sample->key);
    set_key(writer, sample->key);
    for (size_t i = 0; i < sample->count; i++)
        if (put_member(writer, writer->key, &sample->members[i], err))
            return -1;
    writer->counts.samples++;
    return 0;
}

static int note(struct stream_writer *writer, json_t *failure, struct err *err)
{
    if (!writer->failures)
        writer->failures = json_array();
    return json_array_append_new(writer->failures, failure) ? err_memory(err, "what failed") : 0;
}

int stream_note_failure(struct stream_writer *writer, const char *source, uint64_t samples,
                        const char *reason, struct err *err)
{
    return note(writer, control_failure(source, samples, reason), err);
}

int stream_pass_failures(struct stream_writer *writer, const struct stream_reader *reader,
                         struct err *err)
{
    size_t i;
    json_t *failure;
    json_array_foreach(stream_failures(reader), i, failure)
    {
        if (note(writer, json_incref(failure), err))
            return -1;
    }
    return stream_failed(reader, err);
}

uint64_t stream_samples_written(const struct stream_writer *writer)
{
    return writer->counts.samples;
}

/* ---- begin and end ---- */

static int start_archive(struct stream_writer *writer, struct err *err)
{
    writer->archive = archive_write_new();
    writer->entry = archive_entry_new();
    if (!writer->archive || !writer->entry)
        return err_memory(err, "a tensor stream");
    if (archive_write_set_format_pax_restricted(writer->archive) ||
        archive_write_set_bytes_per_block(writer->archive, STREAM_CHUNK) ||
        archive_write_set_bytes_in_last_block(writer->archive, 1) ||
        archive_write_open(writer->archive, writer, NULL, write_chunk, NULL))
        return archive_failed(writer, err);
    return 0;
}

int stream_create(struct stream_writer **result, const char *path,
                  const struct stream_author *author, const struct stream_reader *upstream,
                  struct err *err)
{
    struct stream_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return err_memory(err, "a tensor stream");
    if (outfile_open(&writer->out, path, err)) {
        free(writer);
        return -1;
    }
    pipe_widen(outfile_fd(writer->out));
    char *text = control_write_stream(author, upstream ? stream_provenance(upstream) : NULL);
    if (start_archive(writer, err)) {
        free(text);
        stream_abort(writer);
        return -1;
    }
    if (put_text(writer, CONTROL_STREAM, text, err)) {
        stream_abort(writer);
        return -1;
    }
    *result = writer;
    return 0;
}

/* Frees all but the outfile; libarchive would end the archive as if it were whole. */
static void release(struct stream_writer *writer)
{
    writer->discard = true;
    archive_write_free(writer->archive);
    archive_entry_free(writer->entry);
    json_decref(writer->failures);
    free(writer);
}

int stream_commit(struct stream_writer *writer, struct err *err)
{
    struct outfile *out = writer->out;
    char *end = control_write_end(&writer->counts, writer->failures);
    int bad = put_text(writer, CONTROL_END, end, err);
    if (!bad && (archive_write_close(writer->archive) != ARCHIVE_OK || writer->write_err.status))
        bad = archive_failed(writer, err);
    release(writer);
    if (bad) {
        outfile_abort(out);
        return -1;
    }
    return outfile_commit(out, err);
}

void stream_abort(struct stream_writer *writer)
{
    if (!writer)
        return;
    struct outfile *out = writer->out;
    release(writer);
    outfile_abort(out);
}
