/* A zip of ImageJ ROIs, each called by its label. */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "annot/roi.h"
#include "annot/write.h"

#define THE_DAY 315619200 /* 1980-01-02, the first whole day of zip: equal labels, equal bytes */

/* Never fails for libarchive, which would not free all its memory then. */
static la_ssize_t write_chunk(struct archive *archive, void *user, const void *data, size_t size)
{
    struct annot_writer *writer = user;
    (void)archive;
    if (!writer->discard)
        writer->discard = outfile_write(writer->out, data, size, &writer->write_err) != 0;
    return (la_ssize_t)size;
}

/* What went wrong, if anything did. */
static int check(const struct annot_writer *writer, bool failed, struct err *err)
{
    if (writer->write_err.status) {
        *err = writer->write_err;
        return -1;
    }
    if (!failed)
        return 0;
    const char *reason = archive_error_string(writer->archive);
    return err_set(err, STATUS_IO, "write '%s': %s", outfile_name(writer->out),
                   reason ? reason : "unknown failure");
}

static int start(struct annot_writer *writer, struct err *err)
{
    writer->archive = archive_write_new();
    writer->entry = archive_entry_new();
    if (!writer->archive || !writer->entry)
        return err_memory(err, "a zip archive");
    return check(writer,
                 archive_write_set_format_zip(writer->archive) ||
                     archive_write_set_bytes_in_last_block(writer->archive, 1) ||
                     archive_write_open(writer->archive, writer, NULL, write_chunk, NULL),
                 err);
}

static int begin(struct annot_writer *writer, const struct annot_image *image, struct err *err)
{
    (void)image;
    return start(writer, err);
}

static int put_file(struct annot_writer *writer, const char *name, const unsigned char *data,
                    size_t size, struct err *err)
{
    archive_entry_clear(writer->entry);
    archive_entry_set_pathname(writer->entry, name);
    archive_entry_set_filetype(writer->entry, AE_IFREG);
    archive_entry_set_perm(writer->entry, 0644);
    archive_entry_set_size(writer->entry, (la_int64_t)size);
    archive_entry_set_mtime(writer->entry, THE_DAY, 0);
    bool failed = archive_write_header(writer->archive, writer->entry) != ARCHIVE_OK ||
                  archive_write_data(writer->archive, data, size) != (la_ssize_t)size;
    return check(writer, failed, err);
}

static int object(struct annot_writer *writer, const struct write_object *o, struct err *err)
{
    char name[16], file[24];
    unsigned char *data;
    size_t size;
    snprintf(name, sizeof name, "%06" PRIu32, o->box->label);
    snprintf(file, sizeof file, "%s.roi", name);
    if (roi_format(&data, &size, o->outline, name, err))
        return err_prefix(err, "write '%s'", outfile_name(writer->out));
    int result = put_file(writer, file, data, size, err);
    free(data);
    return result;
}

static int end(struct annot_writer *writer, struct err *err)
{
    if (!writer->archive && start(writer, err))
        return -1;
    bool failed = archive_write_close(writer->archive) != ARCHIVE_OK;
    return check(writer, failed, err);
}

void write_roi_zip_free(struct annot_writer *writer)
{
    writer->discard = true;
    archive_write_free(writer->archive);
    archive_entry_free(writer->entry);
}

const struct write_format write_roi_zip = {begin, object, end, false};
