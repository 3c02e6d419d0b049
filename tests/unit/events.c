#include "train/events.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/prefetch.h"
#include "tests/files.h"
#include "tests/tap.h"

static struct err err;

/* The folder's only file. */
static size_t read_events(const char *folder, unsigned char *to, size_t room)
{
    char path[600] = "";
    DIR *dir = opendir(folder);
    for (struct dirent *d; dir && (d = readdir(dir));)
        if (strstr(d->d_name, "tfevents"))
            snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
    if (dir)
        closedir(dir);
    size_t size = get_file(path, to, room);
    unlink(path);
    return size;
}

static void check_file(void)
{
    char folder[] = "/tmp/events-XXXXXX";
    struct events *events = NULL;
    unsigned char bytes[1000];
    if (!mkdtemp(folder))
        return;
    ok(!events_open(&events, folder, &err) && !events_scalar(events, "val/dsc", 300, 0.5, &err) &&
           !events_close(events, &err),
       "an event file with one scalar");
    size_t size = read_events(folder, bytes, sizeof bytes);
    uint64_t first, second;
    memcpy(&first, bytes, 8);
    is_int((long long)first, 9 + 2 + 13, "the version record: time and name");
    ok(memcmp(bytes + 12 + 11, "brain.Event:2", 13) == 0, "says brain.Event:2");
    const unsigned char *record = bytes + 16 + first;
    memcpy(&second, record, 8);
    static const unsigned char body[] = {0x10, 0xac, 0x02,                       /* step 300 */
                                         0x2a, 16,   0x0a, 14,   0x0a, 7,        /* tag */
                                         'v',  'a',  'l',  '/',  'd',  's', 'c', /**/
                                         0x15, 0x00, 0x00, 0x00, 0x3f};          /* 0.5 */
    is_int((long long)second, 9 + sizeof body, "the scalar's record");
    ok(memcmp(record + 12 + 9, body, sizeof body) == 0, "step, tag and value as protocol buffers");
    is_int((long long)size, (long long)(32 + first + second), "and nothing more");
    rmdir(folder);
    ok(events_open(&events, "/dev/null/x", &err) == -1 && err.status == STATUS_CREATE,
       "a folder that cannot be");
    ok(events_open(&events, "/dev/null", &err) == -1 && err.status == STATUS_CREATE &&
           strcmp(err.message, "create '/dev/null': Not a directory") == 0,
       "a file where the folder would be");
}

/* Products come in order whatever the threads do, and failures at their place. */
static int square(void *context, uint64_t number, int thread, void *slot, struct err *e)
{
    (void)thread;
    if (number == *(uint64_t *)context)
        return err_set(e, STATUS_DATA, "product %d", (int)number);
    usleep((useconds_t)(number * 7919 % 400));
    *(uint64_t *)slot = number * number;
    return 0;
}

static void check_prefetch(void)
{
    struct prefetch *prefetch;
    uint64_t never = UINT64_MAX, bad = 23, count = 0, *slot;
    bool ordered = true;
    ok(!prefetch_start(&prefetch, 3, 5, sizeof *slot, 10, 200, square, &never, &err), "prefetch");
    for (; (slot = prefetch_take(prefetch, &err)); prefetch_done(prefetch), count++)
        ordered &= *slot == (10 + count) * (10 + count);
    ok(ordered && count == 190 && err.status == STATUS_OK, "every product, in order");
    prefetch_stop(prefetch, NULL);
    ok(!prefetch_start(&prefetch, 3, 5, sizeof *slot, 10, 200, square, &bad, &err), "again");
    for (count = 0; (slot = prefetch_take(prefetch, &err)); prefetch_done(prefetch))
        count++;
    ok(count == 13 && err.status == STATUS_DATA, "a failure comes at its place: %s", err.message);
    prefetch_stop(prefetch, NULL);
    ok(!prefetch_start(&prefetch, 2, 3, sizeof *slot, 0, 1000000, square, &never, &err), "stopped");
    prefetch_stop(prefetch, NULL); /* must not hang */
}

int main(void)
{
    tap_plan(13);
    check_file();
    check_prefetch();
    return tap_done();
}
