/* Small zip archives in memory, for tests of their readers. */
#ifndef TESTS_ZIP_H
#define TESTS_ZIP_H

#include <stdint.h>
#include <string.h>

#include <zlib.h>

#define ZIP_ROOM    200000
#define ZIP_RECORDS 8

struct zip_record {
    const char *name;
    size_t begin, size, stored;
    uint32_t crc;
    int method; /* 0 stored, 8 deflated */
};

struct zip_maker {
    uint8_t bytes[ZIP_ROOM];
    size_t size;
    struct zip_record records[ZIP_RECORDS];
    int count;
};

static inline void zip_put(struct zip_maker *zip, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        zip->bytes[zip->size++] = i < 8 ? (uint8_t)(value >> 8 * i) : 0;
}

static inline void zip_put_bytes(struct zip_maker *zip, const void *bytes, size_t size)
{
    if (size)
        memcpy(zip->bytes + zip->size, bytes, size);
    zip->size += size;
}

/* What local and central header share, from the version on. */
static inline void zip_put_header(struct zip_maker *zip, const struct zip_record *record)
{
    zip_put(zip, 20, 2);
    zip_put(zip, 0, 2);
    zip_put(zip, (uint64_t)record->method, 2);
    zip_put(zip, 0, 4);
    zip_put(zip, record->crc, 4);
    zip_put(zip, record->stored, 4);
    zip_put(zip, record->size, 4);
    zip_put(zip, strlen(record->name), 2);
    zip_put(zip, 0, 2);
}

static inline void zip_put_local(struct zip_maker *zip, const struct zip_record *record)
{
    zip_put(zip, 0x04034b50, 4);
    zip_put_header(zip, record);
    zip_put_bytes(zip, record->name, strlen(record->name));
}

/* Adds a stored record; the caller sees to it that there is room. */
static inline void zip_add(struct zip_maker *zip, const char *name, const void *data, size_t size)
{
    struct zip_record *record = &zip->records[zip->count++];
    *record = (struct zip_record){.name = name,
                                  .begin = zip->size,
                                  .size = size,
                                  .stored = size,
                                  .crc = (uint32_t)crc32(0, data, (uInt)size)};
    zip_put_local(zip, record);
    zip_put_bytes(zip, data, size);
}

static inline void zip_finish(struct zip_maker *zip)
{
    size_t begin = zip->size;
    for (int i = 0; i < zip->count; i++) {
        zip_put(zip, 0x02014b50, 4);
        zip_put(zip, 20, 2);
        zip_put_header(zip, &zip->records[i]);
        zip_put(zip, 0, 10);
        zip_put(zip, zip->records[i].begin, 4);
        zip_put_bytes(zip, zip->records[i].name, strlen(zip->records[i].name));
    }
    size_t directory = zip->size - begin;
    zip_put(zip, 0x06054b50, 4);
    zip_put(zip, 0, 4);
    zip_put(zip, (uint64_t)zip->count, 2);
    zip_put(zip, (uint64_t)zip->count, 2);
    zip_put(zip, directory, 4);
    zip_put(zip, begin, 4);
    zip_put(zip, 0, 2);
}

#endif
