#include "train/record.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/lock.h"
#include "train/events.h"

struct record {
    FILE *file;
    char path[4096];
    struct events *events;
};

static const char header[] = RECORD_BEGIN "ce\tdice\tce_out\tdice_out\tval_dsc\tval_hd95\t"
                                          "images_per_s\tseconds\tflow\tval_ap50\n";

/* Nothing of a table is dropped before it is known that no other run writes it; a device
 * is everyone's. */
static int open_locked(struct record *r, struct stat *st, struct err *err)
{
    int fd = open(r->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    r->file = fd < 0 ? NULL : fdopen(fd, "r+");
    if (!r->file) {
        err_errno(err, STATUS_CREATE, "create '%s'", r->path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (fstat(fd, st))
        return err_errno(err, STATUS_IO, "continue '%s'", r->path);
    if (S_ISREG(st->st_mode) && lock_file(fd))
        return err_set(err, STATUS_CREATE, "create '%s': another run writes it", r->path);
    return 0;
}

static int open_table(struct record *r, int64_t bytes, struct err *err)
{
    struct stat st;
    if (open_locked(r, &st, err))
        return -1;
    int fd = fileno(r->file);
    bool goes_on = bytes >= 0 && st.st_size > 0, is_file = S_ISREG(st.st_mode);
    if (is_file && (ftruncate(fd, goes_on ? (off_t)bytes : 0) || fseek(r->file, 0, SEEK_END)))
        return err_errno(err, STATUS_IO, "continue '%s'", r->path);
    if (!goes_on)
        fputs(header, r->file);
    return 0;
}

int record_open(struct record **record, const char *path, int64_t bytes, const char *events,
                struct err *err)
{
    struct record *r = calloc(1, sizeof *r);
    if (!r)
        return err_memory(err, "a record");
    int result = 0;
    if (strlen(path) >= sizeof r->path)
        result = err_set(err, STATUS_CREATE, "create '%s': name too long", path);
    else
        strcpy(r->path, path);
    if (result || open_table(r, bytes, err) || (events && events_open(&r->events, events, err))) {
        struct err late;
        (void)!record_close(r, &late);
        return -1;
    }
    *record = r;
    return 0;
}

static int add_events(struct record *r, const struct record_row *row, struct err *err)
{
    const struct {
        const char *tag;
        double value;
    } points[] = {
        {"rate", row->rate},
        {"loss/total", row->loss},
        {"loss/ce", row->ce},
        {"loss/dice", row->dice},
        {"loss/ce_out", row->ce_out},
        {"loss/dice_out", row->dice_out},
        {"loss/flow", row->flow},
        {"validation/dsc", row->val_dsc},
        {"validation/hd95", row->val_hd95},
        {"validation/ap50", row->val_ap50},
    };
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        if (!isnan(points[i].value) &&
            events_scalar(r->events, points[i].tag, row->step, points[i].value, err))
            return -1;
    return 0;
}

int record_add(struct record *record, const struct record_row *row, struct err *err)
{
    FILE *f = record->file;
    fprintf(f, "%" PRIu64 "\t%" PRId64 "\t%.3g\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f", row->epoch,
            row->step, row->rate, row->loss, row->ce, row->dice, row->ce_out, row->dice_out);
    fprintf(f, "\t%.4f\t%.2f\t%.2f\t%.1f\t%.5f\t%.4f\n", row->val_dsc, row->val_hd95,
            row->images_per_s, row->seconds, row->flow, row->val_ap50);
    if (fflush(f))
        return err_errno(err, STATUS_IO, "write '%s'", record->path);
    return record->events ? add_events(record, row, err) : 0;
}

int64_t record_bytes(struct record *record, struct err *err)
{
    long bytes = fflush(record->file) ? -1 : ftell(record->file);
    return bytes < 0 ? err_errno(err, STATUS_IO, "write '%s'", record->path) : bytes;
}

int record_plot(const struct record *record, const char *svg, struct err *err)
{
    if (strchr(svg, '\'') || strchr(record->path, '\''))
        return err_set(err, STATUS_SOME_FAILED, "draw '%s': a quote in the name", svg);
    FILE *gnuplot = popen("gnuplot >/dev/null 2>&1", "w");
    if (gnuplot)
        fprintf(gnuplot,
                "set terminal svg size 900,400 background '#ffffff'\nset output '%s'\n"
                "set datafile separator '\\t'\nset datafile missing 'nan'\n"
                "set key autotitle columnhead\nset xlabel 'epoch'\nset multiplot layout 1,2\n"
                "set ylabel 'loss'\nplot for [c=4:8] '%s' using 1:c with lines lw 2\n"
                "set ylabel 'DSC'\nset yrange [0:1]\nplot '%s' using 1:9 with lines lw 2\n",
                svg, record->path, record->path);
    if (!gnuplot || pclose(gnuplot))
        return err_set(err, STATUS_SOME_FAILED, "draw '%s': gnuplot failed or is missing", svg);
    return 0;
}

int record_close(struct record *record, struct err *err)
{
    if (!record)
        return 0;
    int result = 0;
    if (record->file && fclose(record->file))
        result = err_errno(err, STATUS_IO, "write '%s'", record->path);
    struct err late;
    if (events_close(record->events, result ? &late : err))
        result = -1;
    free(record);
    return result;
}
