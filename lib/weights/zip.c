#include "weights/zip.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "weights/bytes.h"

#define END_SIZE         22
#define LOCATOR_SIZE     20
#define END64_SIZE       56
#define CENTRAL_SIZE     46
#define LOCAL_SIZE       30
#define MAX_DEFLATE_GAIN 1032 /* deflate's best ratio, zlib technical details */

struct archive {
    const unsigned char *bytes;
    size_t size;
    size_t directory, directory_end; /* the central directory's bytes */
    uint64_t count;
};

static bool signed_with(const unsigned char *at, const char *signature)
{
    return memcmp(at, signature, 4) == 0;
}

static int malformed(struct err *err, const char *what)
{
    err_set(err, STATUS_DATA, "the zip archive is cut or malformed: %s", what);
    return -1;
}

static int find_directory64(struct archive *a, size_t locator, struct err *err)
{
    uint64_t at = bytes_le(a->bytes + locator + 8, 8);
    if (locator < END64_SIZE || at > locator - END64_SIZE ||
        !signed_with(a->bytes + at, "PK\6\6") ||
        bytes_le(a->bytes + at + 4, 8) != locator - at - 12)
        return malformed(err, "zip64 end record");
    a->count = bytes_le(a->bytes + at + 32, 8);
    a->directory = bytes_le(a->bytes + at + 48, 8);
    a->directory_end = at;
    if (a->directory > at || bytes_le(a->bytes + at + 40, 8) != at - a->directory)
        return malformed(err, "place of the directory");
    return 0;
}

static int find_directory32(struct archive *a, size_t end, struct err *err)
{
    a->count = bytes_le(a->bytes + end + 10, 2);
    a->directory = bytes_le(a->bytes + end + 16, 4);
    a->directory_end = end;
    if (a->directory > end || bytes_le(a->bytes + end + 12, 4) != end - a->directory)
        return malformed(err, "place of the directory");
    return 0;
}

static int find_directory(struct archive *a, struct err *err)
{
    if (a->size < END_SIZE || !signed_with(a->bytes + a->size - END_SIZE, "PK\5\6"))
        return malformed(err, "no end record");
    size_t end = a->size - END_SIZE;
    bool wide = end >= LOCATOR_SIZE && signed_with(a->bytes + end - LOCATOR_SIZE, "PK\6\7");
    if (wide ? find_directory64(a, end - LOCATOR_SIZE, err) : find_directory32(a, end, err))
        return -1;
    if (a->count > (a->directory_end - a->directory) / CENTRAL_SIZE)
        return malformed(err, "number of records");
    return 0;
}

/* The next field of the zip64 extra block, for a value that says 0xffffffff. */
static int take_wide(const unsigned char **extra, size_t *left, uint64_t *value, struct err *err)
{
    if (*value != UINT32_MAX)
        return 0;
    if (*left < 8)
        return malformed(err, "zip64 sizes");
    *value = bytes_le(*extra, 8);
    *extra += 8;
    *left -= 8;
    return 0;
}

/* The zip64 block (identifier 1) among the extra fields; empty when there is none. */
static const unsigned char *wide_block(const unsigned char *extra, size_t size, size_t *left)
{
    *left = 0;
    while (size >= 4) {
        size_t block = bytes_le(extra + 2, 2);
        if (block > size - 4)
            break;
        if (bytes_le(extra, 2) == 1) {
            *left = block;
            return extra + 4;
        }
        extra += 4 + block;
        size -= 4 + block;
    }
    return extra;
}

static int read_sizes(const unsigned char *central, const unsigned char *extra, size_t extra_size,
                      struct zip_entry *entry, struct err *err)
{
    uint64_t size = bytes_le(central + 24, 4), stored = bytes_le(central + 20, 4);
    uint64_t begin = bytes_le(central + 42, 4);
    size_t left;
    const unsigned char *wide = wide_block(extra, extra_size, &left);
    if (take_wide(&wide, &left, &size, err) || take_wide(&wide, &left, &stored, err) ||
        take_wide(&wide, &left, &begin, err))
        return -1;
    entry->size = size;
    entry->stored_size = stored;
    entry->begin = begin;
    if (!entry->deflated && size != stored)
        return malformed(err, "sizes of a stored record");
    if (entry->deflated && size / MAX_DEFLATE_GAIN > stored)
        return malformed(err, "a record that inflates too far");
    return 0;
}

static int read_local(const struct archive *a, const unsigned char *central,
                      struct zip_entry *entry, struct err *err)
{
    if (a->directory < LOCAL_SIZE || entry->begin > a->directory - LOCAL_SIZE)
        return malformed(err, "place of a record");
    const unsigned char *local = a->bytes + entry->begin;
    size_t left = a->directory - entry->begin - LOCAL_SIZE;
    size_t name = bytes_le(local + 26, 2), head = name + bytes_le(local + 28, 2);
    if (!signed_with(local, "PK\3\4") || head > left || entry->stored_size > left - head)
        return malformed(err, "a record's header");
    if (name != entry->name_length || memcmp(local + LOCAL_SIZE, entry->name, name) != 0 ||
        memcmp(local + 8, central + 10, 2) != 0)
        return malformed(err, "two headers that differ");
    entry->data = local + LOCAL_SIZE + head;
    entry->end = entry->begin + LOCAL_SIZE + head + entry->stored_size;
    return 0;
}

static int read_entry(const struct archive *a, size_t *at, struct zip_entry *entry, struct err *err)
{
    const unsigned char *central = a->bytes + *at;
    size_t left = a->directory_end - *at;
    if (left < CENTRAL_SIZE || !signed_with(central, "PK\1\2"))
        return malformed(err, "directory");
    size_t name = bytes_le(central + 28, 2), extra = bytes_le(central + 30, 2);
    size_t total = CENTRAL_SIZE + name + extra + bytes_le(central + 32, 2);
    if (total > left || name == 0)
        return malformed(err, "directory");
    unsigned method = (unsigned)bytes_le(central + 10, 2);
    if (bytes_le(central + 8, 2) & 0x2041)
        return err_set(err, STATUS_DATA, "the zip archive is encrypted");
    if (method != 0 && method != 8)
        return err_set(err, STATUS_DATA, "zip compression method %u is not supported", method);
    *entry = (struct zip_entry){.name = (const char *)central + CENTRAL_SIZE,
                                .name_length = name,
                                .crc = (uint32_t)bytes_le(central + 16, 4),
                                .deflated = method == 8};
    *at += total;
    if (read_sizes(central, central + CENTRAL_SIZE + name, extra, entry, err))
        return -1;
    return read_local(a, central, entry, err);
}

static int compare_places(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static int compare_names(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_entries(const void *a, const void *b)
{
    const struct zip_entry *x = *(struct zip_entry *const *)a, *y = *(struct zip_entry *const *)b;
    return compare_names(x->name, x->name_length, y->name, y->name_length);
}

static int check_places(const struct zip *zip, struct err *err)
{
    for (size_t i = 1; i < zip->count; i++)
        if (zip->entries[i].begin < zip->entries[i - 1].end)
            return malformed(err, "records that overlap");
    return 0;
}

static int sort_names(struct zip *zip, struct err *err)
{
    for (size_t i = 0; i < zip->count; i++)
        zip->by_name[i] = &zip->entries[i];
    qsort(zip->by_name, zip->count, sizeof *zip->by_name, compare_entries);
    for (size_t i = 1; i < zip->count; i++)
        if (compare_entries(&zip->by_name[i - 1], &zip->by_name[i]) == 0)
            return malformed(err, "a name that is there twice");
    return 0;
}

static int read_directory(struct zip *zip, const struct archive *a, struct err *err)
{
    size_t at = a->directory;
    for (size_t i = 0; i < zip->count; i++)
        if (read_entry(a, &at, &zip->entries[i], err))
            return -1;
    if (at != a->directory_end)
        return malformed(err, "size of the directory");
    qsort(zip->entries, zip->count, sizeof *zip->entries, compare_places);
    return check_places(zip, err) || sort_names(zip, err) ? -1 : 0;
}

int zip_open(struct zip *zip, const unsigned char *bytes, size_t size, struct err *err)
{
    struct archive a = {.bytes = bytes, .size = size};
    *zip = (struct zip){0};
    if (find_directory(&a, err))
        return -1;
    zip->count = a.count;
    zip->entries = calloc(zip->count + 1, sizeof *zip->entries);
    zip->by_name = calloc(zip->count + 1, sizeof *zip->by_name);
    int result = zip->entries && zip->by_name ? read_directory(zip, &a, err)
                                              : err_memory(err, "a zip directory");
    if (result)
        zip_close(zip);
    return result;
}

void zip_close(struct zip *zip)
{
    free(zip->entries);
    free(zip->by_name);
    *zip = (struct zip){0};
}

struct zip_entry *zip_find(const struct zip *zip, const char *name, size_t length)
{
    size_t low = 0, high = zip->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct zip_entry *entry = zip->by_name[middle];
        int order = compare_names(name, length, entry->name, entry->name_length);
        if (order == 0)
            return entry;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static int check_crc(const struct zip_entry *entry, const unsigned char *data, struct err *err)
{
    if (crc32_z(0, data, entry->size) != entry->crc)
        return err_set(err, STATUS_DATA, "record '%.*s' has a wrong CRC-32",
                       (int)entry->name_length, entry->name);
    return 0;
}

int zip_check(struct zip_entry *entry, struct err *err)
{
    if (!entry->checked && check_crc(entry, entry->data, err))
        return -1;
    entry->checked = true;
    return 0;
}

/* Feeds zlib in steps that its 32-bit counters can hold. */
static bool inflate_all(z_stream *z, const struct zip_entry *entry, unsigned char *out)
{
    size_t in_left = entry->stored_size, out_left = entry->size + 1;
    int status = Z_OK;
    z->next_in = (unsigned char *)(uintptr_t)entry->data;
    z->next_out = out;
    while (status == Z_OK) {
        uInt in = in_left < UINT32_MAX ? (uInt)in_left : UINT32_MAX;
        uInt room = out_left < UINT32_MAX ? (uInt)out_left : UINT32_MAX;
        z->avail_in = in;
        z->avail_out = room;
        status = inflate(z, Z_NO_FLUSH);
        in_left -= in - z->avail_in;
        out_left -= room - z->avail_out;
    }
    return status == Z_STREAM_END && in_left == 0 && out_left == 1;
}

int zip_inflate(const struct zip_entry *entry, unsigned char **out, struct err *err)
{
    z_stream z = {0};
    unsigned char *data = malloc(entry->size + 1);
    if (!data || inflateInit2(&z, -MAX_WBITS) != Z_OK) {
        free(data);
        return err_memory(err, "a compressed record");
    }
    bool whole = inflate_all(&z, entry, data);
    inflateEnd(&z);
    int result = whole ? check_crc(entry, data, err) : malformed(err, "compressed data");
    if (result)
        free(data);
    else
        *out = data;
    return result;
}
