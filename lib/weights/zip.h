/* The directory of a zip archive in memory (PKWARE APPNOTE 6.3, with zip64),
 * strict: no comment, no encryption, records stored or deflated that neither
 * overlap nor leave the file, one name only once, both headers agreeing. */
#ifndef WEIGHTS_ZIP_H
#define WEIGHTS_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct zip_entry {
    const char *name; /* in the archive, not terminated */
    size_t name_length;
    const unsigned char *data;
    size_t stored_size, size; /* bytes in the archive, and inflated */
    size_t begin, end;        /* of header and data in the archive */
    uint32_t crc;
    bool deflated, checked;
};

struct zip {
    struct zip_entry *entries; /* in the order of the bytes */
    struct zip_entry **by_name;
    size_t count;
};

/* `bytes` stays the caller's and is used until zip_close. */
int zip_open(struct zip *zip, const unsigned char *bytes, size_t size, struct err *err) MUST_CHECK;
void zip_close(struct zip *zip);

/* NULL when it is not there. */
struct zip_entry *zip_find(const struct zip *zip, const char *name, size_t length);

/* Checks the CRC-32 of a stored record; the bytes are at entry->data. */
int zip_check(struct zip_entry *entry, struct err *err) MUST_CHECK;

/* Inflates a deflated record to new memory of entry->size bytes, CRC-32 checked. */
int zip_inflate(const struct zip_entry *entry, unsigned char **out, struct err *err) MUST_CHECK;

#endif
