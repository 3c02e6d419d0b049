/* Files of ImageJ ROIs: one, or a zip of many, through libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "annot/file.h"
#include "annot/roi.h"

#define MAX_ROI ((size_t)64 << 20) /* bytes of one .roi */

/* A name of digits is the object's label. */
static uint32_t label_of(const char *name)
{
    uint64_t label = 0;
    const char *slash = strrchr(name, '/');
    name = slash ? slash + 1 : name;
    size_t digits = strspn(name, "0123456789");
    if (digits == 0 || digits > 10 || strcasecmp(name + digits, ".roi") != 0)
        return 0;
    for (size_t i = 0; i < digits; i++)
        label = label * 10 + (uint64_t)(name[i] - '0');
    return label <= UINT32_MAX ? (uint32_t)label : 0;
}

int roi_give(struct annot_file *file, struct build *build, const unsigned char *data, size_t size,
             const char *name, size_t number, annot_take *take, void *user, struct err *err)
{
    build_reset(build);
    build->label = label_of(name);
    return file_give(file, build, roi_parse(build, data, size, err), name, number, take, user, err);
}

static int read_one(struct annot_file *file, size_t image, annot_take *take, void *user,
                    struct err *err)
{
    struct build build = build_new();
    (void)image;
    int result =
        roi_give(file, &build, file->bytes.data, file->bytes.size, file->path, 0, take, user, err);
    build_free(&build);
    return result;
}

static bool is_roi(const struct annot_file *file)
{
    return file->bytes.size >= 4 && memcmp(file->bytes.data, "Iout", 4) == 0;
}

const struct annot_reader read_roi = {is_roi, NULL, read_one};

/* ---- zip ---- */

static int archive_failed(struct archive *archive, struct err *err)
{
    const char *reason = archive_error_string(archive);
    return err_set(err, STATUS_DATA, "%s", reason ? reason : "a broken zip archive");
}

/* Nothing is written under these names, but who lies there lies elsewhere. */
static bool leads_outside(const char *name)
{
    return name[0] == '/' || strncmp(name, "../", 3) == 0 || strstr(name, "/../") ||
           strchr(name, '\\');
}

/* Whether a member may be a ROI: not a folder, nor what macOS adds. */
static int check_entry(struct archive_entry *entry, const char **name, struct err *err)
{
    *name = archive_entry_pathname_utf8(entry);
    if (!*name)
        *name = archive_entry_pathname(entry);
    if (!*name)
        *name = "a ROI";
    if (leads_outside(*name))
        return err_set(err, STATUS_DATA, "'%.200s' leads outside", *name);
    if (archive_entry_filetype(entry) != AE_IFDIR && archive_entry_filetype(entry) != AE_IFREG)
        return err_set(err, STATUS_DATA, "'%.200s' is no file", *name);
    const char *slash = strrchr(*name, '/'), *base = slash ? slash + 1 : *name;
    return archive_entry_filetype(entry) == AE_IFREG && strncmp(*name, "__MACOSX/", 9) != 0 &&
           strncmp(base, "._", 2) != 0;
}

static bool has_roi_ending(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcasecmp(name + n - 4, ".roi") == 0;
}

/* 1 for a ROI: a member that begins as one, or is called so.  Others are not read on. */
static int read_entry(struct archive *archive, const char *name, struct growing *bytes,
                      struct err *err)
{
    const void *data;
    size_t size;
    la_int64_t offset;
    int result;
    bytes->count = 0;
    while ((result = archive_read_data_block(archive, &data, &size, &offset)) == ARCHIVE_OK) {
        if (size > MAX_ROI - bytes->count)
            return err_set(err, STATUS_DATA, "'%.200s': a ROI of more than %zu bytes", name,
                           MAX_ROI);
        if (growing_add_all(bytes, data, size, err))
            return -1;
        if (bytes->count >= 4 && memcmp(bytes->items, "Iout", 4) != 0 && !has_roi_ending(name))
            return 0;
    }
    return result == ARCHIVE_EOF ? bytes->count >= 4 || has_roi_ending(name)
                                 : archive_failed(archive, err);
}

/* Names that the C locale has no characters for are a warning to libarchive. */
static int next_header(struct archive *archive, struct archive_entry **entry)
{
    int result = archive_read_next_header(archive, entry);
    return result == ARCHIVE_WARN ? ARCHIVE_OK : result;
}

static int read_entries(struct annot_file *file, struct archive *archive, struct growing *bytes,
                        struct build *build, annot_take *take, void *user, struct err *err)
{
    struct archive_entry *entry;
    const char *name;
    int result;
    bool any = false;
    while ((result = next_header(archive, &entry)) == ARCHIVE_OK) {
        int is_roi = check_entry(entry, &name, err);
        if (is_roi > 0)
            is_roi = read_entry(archive, name, bytes, err);
        if (is_roi < 0 ||
            (is_roi && roi_give(file, build, bytes->items, bytes->count, name, 0, take, user, err)))
            return -1;
        any |= is_roi;
    }
    if (result != ARCHIVE_EOF)
        return archive_failed(archive, err);
    return any ? 0 : err_set(err, STATUS_DATA, "a zip without an ImageJ ROI");
}

/* A zip without members is only the end of its directory, which libarchive may
 * not recognize. */
static bool is_empty_zip(const struct annot_file *file)
{
    static const unsigned char end[22] = "PK\5\6";
    return file->bytes.size == sizeof end && memcmp(file->bytes.data, end, sizeof end) == 0;
}

/* Through the directory at the end, so that a zip that was cut is refused. */
static int read_zip(struct annot_file *file, size_t image, annot_take *take, void *user,
                    struct err *err)
{
    (void)image;
    if (is_empty_zip(file))
        return 0;
    struct build build = build_new();
    struct growing bytes = {.size = 1};
    struct archive *archive = archive_read_new();
    int result = archive ? 0 : err_memory(err, "annotations");
    if (archive && (archive_read_support_format_zip_seekable(archive) ||
                    archive_read_open_memory(archive, file->bytes.data, file->bytes.size)))
        result = archive_failed(archive, err);
    if (result == 0)
        result = read_entries(file, archive, &bytes, &build, take, user, err);
    archive_read_free(archive);
    growing_free(&bytes);
    build_free(&build);
    return result;
}

static bool is_zip(const struct annot_file *file)
{
    return file->bytes.size >= 4 && memcmp(file->bytes.data, "PK", 2) == 0;
}

const struct annot_reader read_roi_zip = {is_zip, NULL, read_zip};
