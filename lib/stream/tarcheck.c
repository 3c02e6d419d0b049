#include "stream/tarcheck.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"

#define MAX_EXTENSION 65536 /* bytes of a pax header or a GNU long name */

static int wrong(const struct tar_check *check, const char *what, struct err *err)
{
    return err_set(err, STATUS_DATA, "%s at byte %" PRIu64, what, check->offset);
}

/* Octal digits, ended by a space, a NUL or the end of the field. */
static bool parse_octal(const unsigned char *field, size_t width, uint64_t *value)
{
    size_t i = 0;
    *value = 0;
    while (i < width && field[i] == ' ')
        i++;
    size_t begin = i;
    for (; i < width && field[i] >= '0' && field[i] <= '7'; i++)
        *value = *value << 3 | (uint64_t)(field[i] - '0');
    bool digits = i > begin;
    for (; i < width; i++)
        if (field[i] != ' ' && field[i] != 0)
            return false;
    return digits;
}

static bool sum_is_right(const unsigned char *header)
{
    uint64_t said, sum = 8 * ' ';
    for (int i = 0; i < TAR_BLOCK; i++)
        if (i < 148 || i >= 156)
            sum += header[i];
    return parse_octal(header + 148, 8, &said) && said == sum;
}

static bool is_zero(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i])
            return false;
    return true;
}

static int check_header(struct tar_check *check, const unsigned char *header, struct err *err)
{
    if (!sum_is_right(header))
        return wrong(check, check->started ? "a wrong header sum" : "no tar archive: a wrong sum",
                     err);
    if (!parse_octal(header + 124, 12, &check->left))
        return wrong(check, "a size that is not octal", err);
    char type = header[156] ? (char)header[156] : '0';
    if (!strchr("05xgL", type))
        return wrong(check, "a link, a device or another member that is not a file", err);
    if (type == '5' && check->left)
        return wrong(check, "a folder with a size", err);
    check->is_pax = type == 'x' || type == 'g';
    check->extends = check->is_pax || type == 'L';
    if (check->extends && check->left > MAX_EXTENSION)
        return wrong(check, "an extended header that is too long", err);
    check->padding = (unsigned)(-check->left % TAR_BLOCK);
    check->started = true;
    return 0;
}

static int check_block(struct tar_check *check, const unsigned char *block, struct err *err)
{
    if (is_zero(block, TAR_BLOCK)) {
        if (check->extends)
            return wrong(check, "an extended header without its member", err);
        check->zero_blocks += check->zero_blocks < 2;
        return 0;
    }
    if (check->zero_blocks == 1)
        return wrong(check, "a single zero block", err);
    if (check->started && check->zero_blocks == 0 && memcmp(block, "__stream__", 11) == 0)
        return wrong(check, "cut: another stream begins", err);
    check->zero_blocks = 0;
    return check_header(check, block, err);
}

/* ---- pax records: "LENGTH KEY=VALUE\n" ---- */

static bool changes_sizes(const char *record, size_t length)
{
    static const char *const keys[] = {"size=",           "linkpath=", "GNU.sparse.",
                                       "SCHILY.realsize", "SUN.",      "hdrcharset="};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (length >= strlen(keys[i]) && memcmp(record, keys[i], strlen(keys[i])) == 0)
            return true;
    return false;
}

static int check_record(struct tar_check *check, const char *at, size_t left, size_t *length,
                        struct err *err)
{
    size_t digits = 0;
    *length = 0;
    for (; digits < left && digits < 6 && at[digits] >= '0' && at[digits] <= '9'; digits++)
        *length = *length * 10 + (size_t)(at[digits] - '0');
    if (!digits || *length > left || *length < digits + 2 || at[digits] != ' ' ||
        at[*length - 1] != '\n')
        return wrong(check, "a malformed pax header", err);
    if (changes_sizes(at + digits + 1, *length - digits - 1))
        return wrong(check, "a pax header that changes sizes or links", err);
    return 0;
}

static int check_records(struct tar_check *check, struct err *err)
{
    const char *at = (const char *)check->records;
    size_t left = check->records_size, length;
    for (; left; at += length, left -= length)
        if (check_record(check, at, left, &length, err))
            return -1;
    check->records_size = 0;
    check->is_pax = false;
    return 0;
}

static int gather(struct tar_check *check, const unsigned char *data, size_t size, struct err *err)
{
    if (!check->records)
        check->records = malloc(MAX_EXTENSION);
    if (!check->records)
        return err_memory(err, "a pax header");
    memcpy(check->records + check->records_size, data, size);
    check->records_size += size;
    return check->left == size ? check_records(check, err) : 0;
}

/* ---- the run of bytes ---- */

/* Each of these takes what it can of the bytes, at least one of them. */
static int feed_data(struct tar_check *check, const unsigned char *data, size_t size, size_t *taken,
                     struct err *err)
{
    *taken = check->left < size ? (size_t)check->left : size;
    if (check->is_pax && gather(check, data, *taken, err))
        return -1;
    check->left -= *taken;
    return 0;
}

static int feed_padding(struct tar_check *check, const unsigned char *data, size_t size,
                        size_t *taken, struct err *err)
{
    *taken = check->padding < size ? check->padding : size;
    check->padding -= (unsigned)*taken;
    return is_zero(data, *taken) ? 0 : wrong(check, "padding that is not zero", err);
}

static int feed_block(struct tar_check *check, const unsigned char *data, size_t size,
                      size_t *taken, struct err *err)
{
    size_t room = TAR_BLOCK - check->filled;
    *taken = room < size ? room : size;
    memcpy(check->block + check->filled, data, *taken);
    check->filled += *taken;
    if (check->filled < TAR_BLOCK)
        return 0;
    check->filled = 0;
    return check_block(check, check->block, err);
}

int tar_check_feed(struct tar_check *check, const unsigned char *data, size_t size, struct err *err)
{
    while (size) {
        size_t taken;
        int result = check->left      ? feed_data(check, data, size, &taken, err)
                     : check->padding ? feed_padding(check, data, size, &taken, err)
                                      : feed_block(check, data, size, &taken, err);
        if (result)
            return -1;
        data += taken;
        size -= taken;
        check->offset += taken;
    }
    return 0;
}

int tar_check_end(const struct tar_check *check, struct err *err)
{
    if (check->offset == 0)
        return err_set(err, STATUS_DATA, "it is empty");
    if (check->left || check->padding)
        return wrong(check, "cut inside a member", err);
    if (check->filled)
        return wrong(check, "cut inside a header", err);
    if (check->zero_blocks < 2 || check->extends)
        return wrong(check, "cut: the archive's end is missing", err);
    return 0;
}

void tar_check_free(struct tar_check *check)
{
    free(check->records);
    *check = (struct tar_check){0};
}
