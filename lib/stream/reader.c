/* Reading: libarchive parses the tar archive, tar_check watches its raw bytes,
 * and what is here makes samples of its members. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crc32c.h"
#include "core/io.h"
#include "core/json.h"
#include "stream/control.h"
#include "stream/failures.h"
#include "stream/key.h"
#include "stream/npy.h"
#include "stream/pipe.h"
#include "stream/stream.h"
#include "stream/tarcheck.h"

#define ALIGNMENT   64
#define FIRST_GRASP ((size_t)16 << 20) /* most that is allocated before its bytes are there */
#define MAX_CONTROL ((size_t)16 << 20) /* bytes of __stream__ and __end__ */

/* A stream of ours stands between __stream__ and __end__; other archives are
 * foreign all the way. */
enum place { AT_START, IN_FOREIGN, IN_STREAM, AFTER_END };

struct stream_reader {
    char *path;
    int fd;
    off_t begin; /* of the stream in the file, where stream_rewind goes to; -1 in a pipe */
    bool places; /* members are told where they end */
    struct archive *archive;
    struct tar_check check;
    struct err read_err; /* of the callback; status 0 when none */
    bool ended;          /* the archive has; libarchive would say so only once */
    struct err failed;   /* what stream_next said before; status 0 when nothing */
    enum place place;
    struct stream_counts counts; /* of the samples begun in this stream */
    struct provenance records;
    _Atomic uint64_t images;
    char *provenance;
    json_t *failures; /* what failed before, as __end__ tells */
    /* The member whose header was read and whose data were not. */
    bool pending;
    char *name;                    /* whole */
    char *suffix;                  /* into name, after the key and its dot, which is a NUL now */
    char key[SAMPLE_MAX_NAME + 1]; /* the key, or a valid one for it */
    char *foreign_key;             /* of the sample that is read, where that is not valid */
    size_t size;
    uint32_t crc, said_crc; /* of its data; has_crc: the header said it */
    bool has_crc;
    unsigned char *chunk;
};

const char *stream_name(const struct stream_reader *reader)
{
    return io_input_name(reader->path);
}

const char *stream_provenance(const struct stream_reader *reader)
{
    return reader->provenance ? reader->provenance : "[]";
}

uint64_t stream_images(const struct stream_reader *reader)
{
    return reader->images;
}

int stream_failed(const struct stream_reader *reader, struct err *err)
{
    if (!control_describe_failures(reader->failures, err))
        return 0;
    err_prefix(err, "read '%s'", stream_name(reader));
    return 1;
}

json_t *stream_failures(const struct stream_reader *reader)
{
    return reader->failures;
}

/* ---- bytes ---- */

static la_ssize_t read_chunk(struct archive *archive, void *user, const void **data)
{
    struct stream_reader *reader = user;
    ssize_t n = io_read(reader->fd, reader->chunk, STREAM_CHUNK);
    (void)archive;
    if (n < 0) {
        enum status status = err_open_status(errno);
        return err_errno(&reader->read_err, status, "read '%s'", stream_name(reader));
    }
    int bad = n ? tar_check_feed(&reader->check, reader->chunk, (size_t)n, &reader->read_err)
                : tar_check_end(&reader->check, &reader->read_err);
    if (bad)
        return err_prefix(&reader->read_err, "read '%s'", stream_name(reader));
    *data = reader->chunk;
    return n;
}

/* What libarchive could not do; what the callback found comes first. */
static int archive_failed(const struct stream_reader *reader, struct err *err)
{
    if (reader->read_err.status) {
        *err = reader->read_err;
        return -1;
    }
    const char *reason = archive_error_string(reader->archive);
    enum status status = archive_errno(reader->archive) == ENOMEM ? STATUS_MEMORY : STATUS_DATA;
    return err_set(err, status, "read '%s': %s", stream_name(reader),
                   reason ? reason : "not a tar archive");
}

static int start_archive(struct stream_reader *reader, struct err *err)
{
    reader->archive = archive_read_new();
    if (!reader->archive)
        return err_memory(err, "a tensor stream");
    if (archive_read_support_format_tar(reader->archive) ||
        archive_read_set_options(reader->archive, "tar:read_concatenated_archives") ||
        archive_read_open(reader->archive, reader, NULL, read_chunk, NULL))
        return archive_failed(reader, err);
    return 0;
}

/* Back to the state before start_archive. */
static void stop_archive(struct stream_reader *reader)
{
    archive_read_free(reader->archive);
    tar_check_free(&reader->check);
    provenance_free(&reader->records);
    json_array_clear(reader->failures);
    free(reader->provenance);
    free(reader->name);
    free(reader->foreign_key);
    *reader = (struct stream_reader){.path = reader->path,
                                     .fd = reader->fd,
                                     .begin = reader->begin,
                                     .places = reader->places,
                                     .failures = reader->failures,
                                     .chunk = reader->chunk};
}

static int open_file(struct stream_reader *reader, struct err *err)
{
    reader->chunk = malloc(STREAM_CHUNK);
    if (!reader->chunk)
        return err_memory(err, "a tensor stream");
    reader->fd = io_open(reader->path);
    if (reader->fd < 0)
        return err_errno(err, err_open_status(errno), "read '%s'", stream_name(reader));
    reader->begin = lseek(reader->fd, 0, SEEK_CUR);
    pipe_widen(reader->fd);
    return 0;
}

/* ---- reading more than once ---- */

static int make_seekable(struct stream_reader *reader, struct err *err)
{
    if (reader->begin >= 0)
        return 0;
    int fd = io_seekable_copy(reader->fd, stream_name(reader), err);
    if (fd < 0)
        return -1;
    close(reader->fd);
    reader->fd = fd;
    reader->begin = 0;
    return 0;
}

int stream_rewind(struct stream_reader *reader, struct err *err)
{
    stop_archive(reader);
    if (lseek(reader->fd, reader->begin, SEEK_SET) < 0)
        return err_errno(err, STATUS_IO, "read '%s'", stream_name(reader));
    return start_archive(reader, err);
}

/* ---- open and close ---- */

static int open_reader(struct stream_reader **result, const char *path, bool seekable,
                       struct err *err)
{
    struct stream_reader *reader = calloc(1, sizeof *reader);
    if (!reader || !(reader->path = strdup(path))) {
        free(reader);
        return err_memory(err, "a tensor stream");
    }
    reader->fd = -1;
    reader->failures = json_array();
    if (!reader->failures) {
        stream_close(reader);
        return err_memory(err, "a tensor stream");
    }
    if (open_file(reader, err) || (seekable && make_seekable(reader, err)) ||
        start_archive(reader, err)) {
        stream_close(reader);
        return -1;
    }
    *result = reader;
    return 0;
}

int stream_open(struct stream_reader **reader, const char *path, struct err *err)
{
    return open_reader(reader, path, false, err);
}

int stream_open_seekable(struct stream_reader **reader, const char *path, struct err *err)
{
    return open_reader(reader, path, true, err);
}

void stream_close(struct stream_reader *reader)
{
    if (!reader)
        return;
    stop_archive(reader);
    json_decref(reader->failures);
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->chunk);
    free(reader->path);
    free(reader);
}

/* ---- places ---- */

int stream_keep_places(struct stream_reader *reader)
{
    struct stat status;
    if (fstat(reader->fd, &status) || !S_ISREG(status.st_mode))
        return -1;
    reader->places = reader->begin >= 0;
    return reader->places ? reader->fd : -1;
}

static int64_t octal(const unsigned char *text, size_t length)
{
    int64_t value = 0;
    for (size_t i = 0; i < length && (text[i] == ' ' || (text[i] >= '0' && text[i] <= '7')); i++)
        value = text[i] == ' ' ? value : 8 * value + text[i] - '0';
    return value;
}

/* Where the data of the member whose header libarchive has read end; 0 when that
 * cannot be told.  Before its header may lie zero blocks, and headers that it extends. */
static int64_t find_end(const struct stream_reader *reader)
{
    unsigned char block[TAR_BLOCK];
    int64_t at = reader->begin + archive_read_header_position(reader->archive);
    while (pread(reader->fd, block, sizeof block, at) == (ssize_t)sizeof block) {
        int64_t size = octal(block + 124, 12);
        char type = (char)block[156];
        at += TAR_BLOCK;
        if (type == 'x' || type == 'g' || type == 'L' || type == 'K')
            at += (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        else if (block[0])
            return (size_t)size == reader->size ? at + size : 0;
    }
    return 0;
}

/* ---- members ---- */

static unsigned char *new_buffer(size_t size)
{
    return aligned_alloc(ALIGNMENT, (size + ALIGNMENT) / ALIGNMENT * ALIGNMENT);
}

/* Makes room for `needed` bytes of `size` that are promised: little is allocated
 * before the bytes have come. */
static int grow(unsigned char **buffer, size_t *room, size_t filled, size_t needed, size_t size,
                struct err *err)
{
    if (needed <= *room)
        return 0;
    size_t more = *room ? 2 * *room : FIRST_GRASP;
    if (more < needed)
        more = needed;
    if (more > size)
        more = size;
    unsigned char *larger = new_buffer(more);
    if (!larger)
        return err_memory(err, "a member of a tensor stream");
    if (filled)
        memcpy(larger, *buffer, filled);
    free(*buffer);
    *buffer = larger;
    *room = more;
    return 0;
}

static int read_into(struct stream_reader *reader, unsigned char **buffer, struct err *err)
{
    size_t filled = 0, room = 0, length;
    const void *data;
    la_int64_t offset;
    int result;
    while ((result = archive_read_data_block(reader->archive, &data, &length, &offset)) ==
           ARCHIVE_OK) {
        if (offset != (la_int64_t)filled || length > reader->size - filled)
            return err_set(err, STATUS_DATA, "read '%s': '%s' has holes", stream_name(reader),
                           reader->name);
        if (grow(buffer, &room, filled, filled + length, reader->size, err))
            return -1;
        memcpy(*buffer + filled, data, length);
        reader->crc = crc32c(reader->crc, data, length);
        filled += length;
    }
    if (result != ARCHIVE_EOF || filled != reader->size)
        return archive_failed(reader, err);
    if (reader->has_crc && reader->crc != reader->said_crc)
        return err_set(err, STATUS_DATA, "read '%s': '%s%s%s' was changed: a wrong checksum",
                       stream_name(reader), reader->name, reader->suffix ? "." : "",
                       reader->suffix ? reader->suffix : "");
    return 0;
}

/* The pending member's data, new and aligned to 64 bytes. */
static unsigned char *read_data(struct stream_reader *reader, struct err *err)
{
    unsigned char *buffer = NULL;
    if (read_into(reader, &buffer, err)) {
        free(buffer);
        return NULL;
    }
    if (!buffer && !(buffer = new_buffer(0)))
        err_memory(err, "a member of a tensor stream");
    return buffer;
}

/* In a stream of ours what has a dot is a sample's, "__a.b__" too. */
static bool is_control(const struct stream_reader *reader)
{
    const char *name = reader->name;
    size_t length = strlen(name);
    return length > 4 && !strchr(name, '/') && strncmp(name, "__", 2) == 0 &&
           strcmp(name + length - 2, "__") == 0 &&
           !(reader->place == IN_STREAM && strchr(name, '.'));
}

static int refuse_name(struct stream_reader *reader, const char *why, struct err *err)
{
    return err_set(err, STATUS_DATA, "read '%s': member '%.200s' %s", stream_name(reader),
                   reader->name, why);
}

/* Splits reader->name at the first dot of its last component. */
static int split_name(struct stream_reader *reader, struct err *err)
{
    char *slash = strrchr(reader->name, '/');
    char *dot = strchr(slash ? slash : reader->name, '.');
    reader->suffix = dot ? dot + 1 : NULL;
    if (!dot)
        return reader->place == IN_STREAM ? refuse_name(reader, "has no dot after its key", err)
                                          : 0;
    *dot = 0;
    bool ours = reader->place == IN_STREAM;
    if (key_make_valid(reader->name, reader->key) &&
        (!ours || strcmp(reader->key, reader->name) == 0) &&
        (ours || member_name_make_valid(reader->suffix)))
        return 0;
    *dot = '.';
    return refuse_name(reader,
                       ours ? "has a key with other than letters, digits, '_', '-', '/'"
                            : "has a name that none can have: control characters, '..', a '-' or "
                              "'/' at its begin, or nothing before its dot",
                       err);
}

static int take_name(struct stream_reader *reader, struct archive_entry *entry, struct err *err)
{
    const char *name = archive_entry_pathname(entry);
    while (name && name[0] == '.' && name[1] == '/')
        name += 2;
    free(reader->name);
    reader->name = strdup(name ? name : "?");
    reader->suffix = NULL;
    if (!reader->name)
        return err_memory(err, "a member's name");
    if (!name || strlen(name) > 2 * SAMPLE_MAX_NAME)
        return refuse_name(reader, "has no name, or one that is too long", err);
    return is_control(reader) ? 0 : split_name(reader, err);
}

/* libarchive warns of names that are no text in this locale, and gives their bytes. */
static bool is_only_named_oddly(const struct stream_reader *reader, int result)
{
    const char *warning = archive_error_string(reader->archive);
    return result == ARCHIVE_WARN && warning && strstr(warning, "can't be converted");
}

/* Reads headers up to the next one that matters, 1, or to the end, 0. */
static int next_member(struct stream_reader *reader, struct err *err)
{
    struct archive_entry *entry;
    while (!reader->pending) {
        int result =
            reader->ended ? ARCHIVE_EOF : archive_read_next_header(reader->archive, &entry);
        reader->ended = result == ARCHIVE_EOF && !reader->read_err.status;
        if (reader->ended)
            return 0;
        if (result != ARCHIVE_OK && !is_only_named_oddly(reader, result))
            return archive_failed(reader, err);
        if (archive_entry_filetype(entry) == AE_IFDIR)
            continue;
        if (take_name(reader, entry, err))
            return -1;
        if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
            return refuse_name(reader, "is not a file", err);
        reader->size = (size_t)archive_entry_size(entry);
        reader->has_crc = control_parse_sum(archive_entry_gname(entry), &reader->said_crc);
        reader->crc = 0;
        reader->pending = true;
    }
    return 1;
}

/* ---- __stream__ and __end__ ---- */

static int begin_stream(struct stream_reader *reader, const unsigned char *text, struct err *err)
{
    if (reader->place == IN_STREAM)
        return err_set(err, STATUS_DATA,
                       "cut: " CONTROL_END " is missing before another " CONTROL_STREAM);
    if (control_read_stream(&reader->records, text, reader->size, err))
        return -1;
    reader->images = reader->records.images;
    free(reader->provenance);
    reader->provenance = json_dump_whole(reader->records.records, JSON_COMPACT);
    if (!reader->provenance)
        return err_memory(err, "provenance");
    reader->place = IN_STREAM;
    reader->counts = (struct stream_counts){0};
    return 0;
}

static int end_stream(struct stream_reader *reader, const unsigned char *text, struct err *err)
{
    struct stream_counts said;
    if (reader->place != IN_STREAM)
        return err_set(err, STATUS_DATA, CONTROL_END " without " CONTROL_STREAM);
    if (control_read_end(&said, reader->failures, text, reader->size, err))
        return -1;
    if (said.samples != reader->counts.samples || said.members != reader->counts.members)
        return err_set(err, STATUS_DATA,
                       CONTROL_END " says %" PRIu64 " samples and %" PRIu64
                                   " members, there were %" PRIu64 " and %" PRIu64,
                       said.samples, said.members, reader->counts.samples, reader->counts.members);
    if (said.has_sum && said.sum != reader->counts.sum)
        return err_set(err, STATUS_DATA, "its members were changed: a wrong checksum");
    reader->place = AFTER_END;
    return 0;
}

/* Other members of the kind __x__ are skipped, as WebDataset does. */
static int take_control(struct stream_reader *reader, struct err *err)
{
    bool begins = strcmp(reader->name, CONTROL_STREAM) == 0;
    bool ends = strcmp(reader->name, CONTROL_END) == 0;
    reader->pending = false;
    if (!begins && !ends)
        return 0;
    if (reader->size > MAX_CONTROL)
        return refuse_name(reader, "is too long", err);
    unsigned char *text = read_data(reader, err);
    if (!text)
        return -1;
    int result = begins ? begin_stream(reader, text, err) : end_stream(reader, text, err);
    free(text);
    return result ? err_prefix(err, "read '%s'", stream_name(reader)) : 0;
}

/* ---- samples ---- */

static int check_json(const struct member *member, struct err *err)
{
    json_error_t error;
    json_t *root = json_load_whole(member->bytes, member->size, JSON_DECODE_ANY, &error);
    json_decref(root);
    return root ? 0 : err_set(err, STATUS_DATA, "%s", error.text);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), n = strlen(end);
    return length >= n && strcmp(text + length - n, end) == 0;
}

static int read_member(struct stream_reader *reader, struct member *member, struct err *err)
{
    unsigned char *data = read_data(reader, err);
    if (!data)
        return -1;
    *member = (struct member){.name = reader->suffix, .end = reader->places ? find_end(reader) : 0};
    member->is_array = ends_with(reader->suffix, ".npy") || strcmp(reader->suffix, "npy") == 0;
    if (member->is_array && npy_adopt(&member->array, data, reader->size, err) == 0)
        return 0;
    member->bytes = data;
    member->size = reader->size;
    if (!member->is_array && (strcmp(member->name, "json") != 0 || check_json(member, err) == 0))
        return 0;
    free(data);
    return err_prefix(err, "read '%s': '%s.%s'", stream_name(reader), reader->name, reader->suffix);
}

static int begin_sample(struct stream_reader *reader, struct sample *sample, struct err *err)
{
    free(reader->foreign_key);
    reader->foreign_key = NULL;
    if (strcmp(reader->key, reader->name) != 0 && !(reader->foreign_key = strdup(reader->name)))
        return err_memory(err, "a key");
    return sample_init(sample, reader->key, err);
}

static int take_member(struct stream_reader *reader, struct sample *sample, struct err *err)
{
    char name[2 * SAMPLE_MAX_NAME + 2];
    struct member member;
    if (!sample->key && begin_sample(reader, sample, err))
        return -1;
    if (read_member(reader, &member, err))
        return -1;
    if (sample_add_member(sample, &member, err)) {
        array_free(&member.array);
        free(member.bytes);
        return err_prefix(err, "read '%s'", stream_name(reader));
    }
    reader->pending = false;
    reader->counts.samples += sample->count == 1;
    snprintf(name, sizeof name, "%s.%s", reader->name, reader->suffix);
    control_count(&reader->counts, name, reader->crc);
    return 0;
}

/* Puts the pending member where it belongs: 1 when it is not the sample's, which
 * is whole then. */
static int take_pending(struct stream_reader *reader, struct sample *sample, struct err *err)
{
    if (is_control(reader) && !reader->suffix)
        return sample->key ? 1 : take_control(reader, err);
    if (reader->place == AFTER_END)
        return refuse_name(reader, "follows the stream's end", err);
    if (reader->place == AT_START)
        reader->place = IN_FOREIGN;
    if (!reader->suffix) { /* no dot, no sample: WebDataset skips it */
        reader->pending = false;
        return 0;
    }
    if (sample->key && strcmp(sample->key, reader->key) != 0)
        return 1;
    return take_member(reader, sample, err);
}

static int read_sample(struct stream_reader *reader, struct sample *sample, struct err *err)
{
    for (;;) {
        int there = next_member(reader, err);
        if (there < 0)
            return -1;
        if (there == 0)
            break;
        int result = take_pending(reader, sample, err);
        if (result)
            return result;
    }
    if (reader->place == IN_STREAM)
        return err_set(err, STATUS_DATA, "read '%s': cut: " CONTROL_END " is missing",
                       stream_name(reader));
    return sample->key != NULL;
}

int stream_next(struct stream_reader *reader, struct sample *sample, struct err *err)
{
    *sample = (struct sample){0};
    if (reader->failed.status) {
        *err = reader->failed;
        return -1;
    }
    int result = read_sample(reader, sample, err);
    if (result > 0 && reader->foreign_key && sample_note_key(sample, reader->foreign_key, err))
        result = -1;
    if (result < 0) {
        reader->failed = *err;
        sample_free(sample);
    }
    return result;
}
