#include "stream/store.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/convert.h"
#include "core/digest.h"
#include "core/growing.h"
#include "core/io.h"
#include "core/num.h"
#include "stream/stream.h"

#define NO_MASK UINT32_MAX /* instead of an element type */

/* What precedes a sample's key and pixels in the temporary file; `file` and the places
 * tell of pixels that are elsewhere. */
struct record {
    uint32_t image_dtype, mask_dtype;
    uint64_t height, width, channels;
    double offset, gain;
    int64_t mask_unit;
    uint64_t key_size; /* with its zero */
    int64_t file;      /* -1: the temporary file */
    uint64_t image_at, mask_at;
};

struct file {
    int fd;
    char *name;
    struct stat status; /* when it was read first */
};

struct store {
    int fd;
    struct file *files;
    int64_t file_count, from; /* from: the current one, or -1 */
    uint64_t end;
    struct growing labeled, unlabeled; /* offsets of samples, uint64_t */
    bool takes_unlabeled, sees_ranges;
    struct sha256_ctx hash;
    struct err failed; /* of a source before a stream; status 0: none */
};

int store_new(struct store **store, struct err *err)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return err_memory(err, "a store");
    s->fd = io_temporary(err);
    if (s->fd < 0) {
        free(s);
        return -1;
    }
    s->from = -1;
    sha256_init(&s->hash);
    s->labeled.size = s->unlabeled.size = sizeof(uint64_t);
    *store = s;
    return 0;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    close(store->fd);
    for (int64_t i = 0; i < store->file_count; i++) {
        close(store->files[i].fd);
        free(store->files[i].name);
    }
    free(store->files);
    growing_free(&store->labeled);
    growing_free(&store->unlabeled);
    free(store);
}

/* ---- files that stay where they are ---- */

static int add_file(struct store *store, const struct file *file, struct err *err)
{
    if (growing_room(&store->files, (size_t)store->file_count, sizeof *file, err))
        return -1;
    store->files[store->file_count] = *file;
    store->from = store->file_count++;
    return 0;
}

/* Samples that are added from now on were read from this descriptor with stream_keep_places;
 * -1: not from a file.  `name` is for messages. */
static int read_from(struct store *store, int fd, const char *name, struct err *err)
{
    struct file file = {.fd = -1};
    store->from = -1;
    if (fd < 0 || store->file_count == STORE_FILES || fstat(fd, &file.status) ||
        (file.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
        return 0;
    file.name = malloc(strlen(name) + 3);
    if (file.name)
        sprintf(file.name, "'%s'", name);
    if (!file.name || add_file(store, &file, err)) {
        free(file.name);
        close(file.fd);
        return err_memory(err, "an index of files");
    }
    return 0;
}

static bool is_unchanged(const struct file *file)
{
    struct stat now;
    return fstat(file->fd, &now) == 0 && now.st_size == file->status.st_size &&
           now.st_mtim.tv_sec == file->status.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == file->status.st_mtim.tv_nsec;
}

static bool has_bytes(int fd, const void *data, size_t size, int64_t at)
{
    static const size_t step = 1 << 16;
    char bytes[1 << 16];
    for (size_t done = 0; done < size; done += step) {
        size_t part = size - done < step ? size - done : step;
        if (pread(fd, bytes, part, at + (int64_t)done) != (ssize_t)part ||
            memcmp(bytes, (const char *)data + done, part) != 0)
            return false;
    }
    return true;
}

/* Where in the current file the array's elements are; false when they are not there as
 * they are in memory. */
static bool find_array(const struct store *store, const struct sample *sample, const char *member,
                       uint64_t *at)
{
    const struct member *m = sample_member(sample, member);
    size_t bytes = array_bytes(&m->array);
    if (m->end < (int64_t)bytes ||
        !has_bytes(store->files[store->from].fd, m->array.data, bytes, m->end - (int64_t)bytes))
        return false;
    *at = (uint64_t)m->end - bytes;
    return true;
}

static void find_pixels(const struct store *store, const struct sample *sample,
                        struct record *record)
{
    record->file = -1;
    if (store->from >= 0 && find_array(store, sample, "image.npy", &record->image_at) &&
        (record->mask_dtype == NO_MASK || find_array(store, sample, "mask.npy", &record->mask_at)))
        record->file = store->from;
}

/* ---- adding ---- */

static int append(struct store *store, const void *data, size_t size, struct err *err)
{
    if (io_write_at(store->fd, data, size, (off_t)store->end))
        return err_errno(err, STATUS_IO, "write the temporary file");
    store->end += size;
    return 0;
}

/* 255 or 65535 where that is the only label: a mask in black and white, also in a stream
 * that does not tell. */
static int64_t white_of(const struct array *mask)
{
    uint64_t found = 0;
    for (size_t i = 0; i < array_count(mask); i++) {
        uint64_t label = convert_label_at(mask, i);
        if (label && label != 255 && label != 65535)
            return 0;
        if (label && found && label != found)
            return 0;
        found = label ? label : found;
    }
    return (int64_t)found;
}

static int find_scale(const struct store *store, const struct sample *sample,
                      const struct array *image, struct record *record, struct err *err)
{
    struct tile_meta meta;
    if (sample_get_meta(sample, &meta, err) < 0)
        return -1;
    record->mask_unit = meta.mask_unit;
    sample_scale(&meta, image->dtype, store->sees_ranges, &record->offset, &record->gain);
    return 0;
}

/* Wherever its pixels are kept. */
static void hash_sample(struct store *store, const struct record *record, const char *key,
                        const struct array *image, const struct array *mask)
{
    sha256_update(&store->hash, offsetof(struct record, file), (const uint8_t *)record);
    sha256_update(&store->hash, record->key_size, (const uint8_t *)key);
    sha256_update(&store->hash, array_bytes(image), image->data);
    if (mask)
        sha256_update(&store->hash, array_bytes(mask), mask->data);
}

/* *mask is NULL for a sample that is kept without one. */
static int find_arrays(const struct store *store, const struct sample *sample, struct array **image,
                       struct array **mask, struct err *err)
{
    *image = sample_require(sample, "image", err);
    if (!*image)
        return -1;
    if (sample_seek(sample, "mask", mask, err) ||
        (!*mask && !store->takes_unlabeled && !sample_require(sample, "mask", err)))
        return -1;
    if (array_count(*image) == 0 || (*mask && ((*mask)->shape[0] != (*image)->shape[0] ||
                                               (*mask)->shape[1] != (*image)->shape[1])))
        return err_set(err, STATUS_DATA, "image and mask differ in size");
    return 0;
}

static int add(struct store *store, const struct sample *sample, struct err *err)
{
    struct array *image, *mask;
    if (find_arrays(store, sample, &image, &mask, err))
        return -1;
    struct growing *index = mask ? &store->labeled : &store->unlabeled;
    struct record record = {.image_dtype = (uint32_t)image->dtype,
                            .mask_dtype = mask ? (uint32_t)mask->dtype : NO_MASK,
                            .height = image->shape[0],
                            .width = image->shape[1],
                            .channels = image->shape[2],
                            .key_size = strlen(sample->key) + 1};
    if (find_scale(store, sample, image, &record, err))
        return -1;
    if (mask && record.mask_unit == 0)
        record.mask_unit = white_of(mask);
    hash_sample(store, &record, sample->key, image, mask);
    find_pixels(store, sample, &record);
    uint64_t start = store->end;
    bool copy = record.file < 0;
    if (append(store, &record, sizeof record, err) ||
        append(store, sample->key, record.key_size, err) ||
        (copy && append(store, image->data, array_bytes(image), err)) ||
        (copy && mask && append(store, mask->data, array_bytes(mask), err)))
        return -1;
    return growing_add(index, &start, err);
}

int store_add(struct store *store, const struct sample *sample, struct err *err)
{
    if (add(store, sample, err))
        return err_prefix(err, "sample '%s'", sample->key);
    return 0;
}

int store_stream(struct store *store, const char *path,
                 void (*progress)(const char *unit, uint64_t done, uint64_t total), struct err *err)
{
    struct stream_reader *reader;
    struct sample sample;
    int more = 0;
    if (stream_open(&reader, path, err))
        return -1;
    int rc = read_from(store, stream_keep_places(reader), stream_name(reader), err);
    while (rc == 0 && (more = stream_next(reader, &sample, err)) > 0) {
        rc = store_add(store, &sample, err);
        sample_free(&sample);
        progress("samples read", store_count(store), 0);
    }
    if (rc)
        err_prefix(err, "read '%s'", stream_name(reader));
    else if (more == 0 && !store->failed.status)
        (void)stream_failed(reader, &store->failed);
    stream_close(reader);
    return rc || more < 0 ? -1 : 0;
}

int store_failed(const struct store *store, struct err *err)
{
    *err = store->failed;
    return store->failed.status != STATUS_OK;
}

size_t store_count(const struct store *store)
{
    return store->labeled.count + store->unlabeled.count;
}

void store_take_unlabeled(struct store *store)
{
    store->takes_unlabeled = true;
}

void store_see_ranges(struct store *store)
{
    store->sees_ranges = true;
}

size_t store_labeled(const struct store *store)
{
    return store->labeled.count;
}

static uint64_t offset_of(const struct store *store, size_t i)
{
    size_t labeled = store->labeled.count;
    const uint64_t *with = store->labeled.items, *without = store->unlabeled.items;
    return i < labeled ? with[i] : without[i - labeled];
}

uint64_t store_size(const struct store *store)
{
    return store->end;
}

/* ---- reading ---- */

/* What pixels are read from. */
struct source {
    int fd;
    const char *name;
};

static int read_at(struct source from, void *data, size_t size, uint64_t offset, struct err *err)
{
    ssize_t n = io_read_at(from.fd, data, size, (off_t)offset);
    if (n < 0)
        return err_errno(err, STATUS_IO, "read %s", from.name);
    if ((size_t)n < size)
        return err_set(err, STATUS_IO, "read %s: it is cut", from.name);
    return 0;
}

static int make_room(struct stored *to, size_t size, struct err *err)
{
    if (size <= to->capacity)
        return 0;
    free(to->buffer);
    to->capacity = 0;
    to->buffer = malloc(size);
    if (!to->buffer)
        return err_memory(err, "a sample");
    to->capacity = size;
    return 0;
}

/* Where the pixels of a record are, which begin at `after` in the temporary file. */
static int locate(const struct store *store, struct record *r, uint64_t after, size_t image_bytes,
                  struct source *source, struct err *err)
{
    if (r->file < 0) {
        r->image_at = after;
        r->mask_at = after + image_bytes;
        return 0;
    }
    const struct file *file = &store->files[r->file];
    *source = (struct source){file->fd, file->name};
    return is_unchanged(file)
               ? 0
               : err_set(err, STATUS_DATA, "%s was changed while it was in use", file->name);
}

int store_read(const struct store *store, size_t i, struct stored *to, struct err *err)
{
    struct record r;
    uint64_t at = offset_of(store, i);
    struct source own = {store->fd, "the temporary file"}, source = own;
    if (read_at(own, &r, sizeof r, at, err))
        return -1;
    at += sizeof r;
    size_t image_shape[] = {r.height, r.width, r.channels};
    struct array image = array_view((enum dtype)r.image_dtype, 3, image_shape, NULL);
    struct array mask = {0};
    if (r.mask_dtype != NO_MASK)
        mask = array_view((enum dtype)r.mask_dtype, 2, image_shape, NULL);
    size_t image_bytes = array_bytes(&image);
    size_t mask_bytes = r.mask_dtype != NO_MASK ? array_bytes(&mask) : 0;
    size_t image_room = (image_bytes + 63) / 64 * 64;
    size_t key_size = r.key_size < sizeof to->key ? r.key_size : sizeof to->key;
    if (locate(store, &r, at + r.key_size, image_bytes, &source, err) ||
        make_room(to, image_room + mask_bytes, err) || read_at(own, to->key, key_size, at, err) ||
        read_at(source, to->buffer, image_bytes, r.image_at, err) ||
        read_at(source, (char *)to->buffer + image_room, mask_bytes, r.mask_at, err))
        return -1;
    to->key[key_size - 1] = '\0';
    image.data = to->buffer;
    mask.data = r.mask_dtype != NO_MASK ? (char *)to->buffer + image_room : NULL;
    to->image = image;
    to->mask = mask;
    to->offset = r.offset;
    to->gain = r.gain;
    to->mask_unit = r.mask_unit;
    return 0;
}

void stored_free(struct stored *stored)
{
    free(stored->buffer);
    *stored = (struct stored){0};
}

void store_digest(const struct store *store, char digest[65])
{
    digest_hex(&store->hash, digest);
}
