#include "train/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/crc32c.h"
#include "core/destination.h"

struct events {
    FILE *file;
    char name[4096];
};

/* A message being built. */
struct message {
    unsigned char bytes[256];
    size_t size;
};

/* As TensorFlow stores it, so that a CRC of data with CRCs is not trivial. */
static uint32_t masked(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

/* ---- protocol buffers ---- */

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void put(struct message *m, const void *data, size_t size)
{
    if (m->size + size <= sizeof m->bytes) {
        memcpy(m->bytes + m->size, data, size);
        m->size += size;
    }
}

static void put_varint(struct message *m, uint64_t value)
{
    do {
        unsigned char byte = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        put(m, &byte, 1);
        value >>= 7;
    } while (value);
}

static void put_key(struct message *m, unsigned field, enum wire wire)
{
    put_varint(m, field << 3 | (unsigned)wire);
}

static void put_bytes(struct message *m, unsigned field, const void *data, size_t size)
{
    put_key(m, field, BYTES);
    put_varint(m, size);
    put(m, data, size);
}

static void put_time(struct message *m)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double seconds = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
    put_key(m, 1, FIXED64);
    put(m, &seconds, sizeof seconds);
}

/* ---- records ---- */

static int write_record(struct events *e, const struct message *m, struct err *err)
{
    uint64_t size = m->size;
    uint32_t size_crc = masked(crc32c(0, &size, sizeof size));
    uint32_t data_crc = masked(crc32c(0, m->bytes, m->size));
    if (fwrite(&size, sizeof size, 1, e->file) != 1 ||
        fwrite(&size_crc, sizeof size_crc, 1, e->file) != 1 ||
        fwrite(m->bytes, m->size, 1, e->file) != 1 ||
        fwrite(&data_crc, sizeof data_crc, 1, e->file) != 1 || fflush(e->file))
        return err_errno(err, STATUS_IO, "write '%s'", e->name);
    return 0;
}

static int write_version(struct events *e, struct err *err)
{
    static const char version[] = "brain.Event:2";
    struct message m = {.size = 0};
    put_time(&m);
    put_bytes(&m, 3, version, sizeof version - 1);
    return write_record(e, &m, err);
}

int events_open(struct events **events, const char *folder, struct err *err)
{
    struct events *e = calloc(1, sizeof *e);
    if (!e)
        return err_memory(err, "event file");
    int n = snprintf(e->name, sizeof e->name, "%s/events.out.tfevents.%lld.train", folder,
                     (long long)time(NULL));
    int result = 0;
    if (n < 0 || (size_t)n >= sizeof e->name)
        result = err_set(err, STATUS_CREATE, "create '%s': name too long", folder);
    else if (folder_make(folder, err))
        result = -1;
    else if (!(e->file = fopen(e->name, "ab")))
        result = err_errno(err, STATUS_CREATE, "create '%s'", e->name);
    else if ((result = write_version(e, err)))
        fclose(e->file);
    if (result)
        free(e);
    else
        *events = e;
    return result;
}

int events_scalar(struct events *events, const char *tag, int64_t step, double value,
                  struct err *err)
{
    struct message point = {.size = 0}, summary = {.size = 0}, event = {.size = 0};
    float single = (float)value;
    put_bytes(&point, 1, tag, strnlen(tag, 100));
    put_key(&point, 2, FIXED32);
    put(&point, &single, sizeof single);
    put_bytes(&summary, 1, point.bytes, point.size);
    put_time(&event);
    put_key(&event, 2, VARINT);
    put_varint(&event, (uint64_t)step);
    put_bytes(&event, 5, summary.bytes, summary.size);
    return write_record(events, &event, err);
}

int events_close(struct events *events, struct err *err)
{
    if (!events)
        return 0;
    int result = fclose(events->file) ? err_errno(err, STATUS_IO, "write '%s'", events->name) : 0;
    free(events);
    return result;
}
