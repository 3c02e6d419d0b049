/* Files of ImageJ ROIs: one, or a zip of many, through libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

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
    if (digits == 0 || digits > 10 || strcmp(name + digits, ".roi") != 0)
        return 0;
    for (size_t i = 0; i < digits; i++)
        label = label * 10 + (uint64_t)(name[i] - '0');
    return label <= UINT32_MAX ? (uint32_t)label : 0;
}

static int give(struct build *build, const unsigned char *data, size_t size, const char *name,
                annot_take *take, void *user, struct err *err)
{
    struct annot_object object;
    build_reset(build);
    build->label = label_of(name);
    if (roi_parse(build, data, size, err))
        return err_prefix(err, "'%.200s'", name);
    return take(user, build_object(build, &object), err);
}

int roi_read(struct annot_file *file, annot_take *take, void *user, struct err *err)
{
    struct build build = build_new();
    int result = give(&build, file->bytes.data, file->bytes.size, file->path, take, user, err);
    build_free(&build);
    return result;
}

/* ---- zip ---- */

static int archive_failed(struct archive *archive, struct err *err)
{
    const char *reason = archive_error_string(archive);
    return err_set(err, STATUS_DATA, "%s", reason ? reason : "a broken zip archive");
}

static bool ends_with_roi(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".roi") == 0;
}

/* Nothing is written under these names, but who lies there lies elsewhere. */
static bool leads_outside(const char *name)
{
    return name[0] == '/' || strncmp(name, "../", 3) == 0 || strstr(name, "/../") ||
           strchr(name, '\\');
}

/* 1 for a ROI, 0 for what is passed over: folders and what macOS adds. */
static int check_entry(struct archive_entry *entry, const char **name, struct err *err)
{
    *name = archive_entry_pathname(entry);
    if (!*name)
        return err_set(err, STATUS_DATA, "a member has a name that is not ASCII");
    if (leads_outside(*name))
        return err_set(err, STATUS_DATA, "'%.200s' leads outside", *name);
    if (archive_entry_filetype(entry) == AE_IFDIR || strncmp(*name, "__MACOSX/", 9) == 0)
        return 0;
    if (archive_entry_filetype(entry) != AE_IFREG || !ends_with_roi(*name))
        return err_set(err, STATUS_DATA, "'%.200s' is not an ImageJ ROI", *name);
    return 1;
}

static int read_entry(struct archive *archive, struct growing *bytes, struct err *err)
{
    const void *data;
    size_t size;
    la_int64_t offset;
    int result;
    bytes->count = 0;
    while ((result = archive_read_data_block(archive, &data, &size, &offset)) == ARCHIVE_OK) {
        if (size > MAX_ROI - bytes->count)
            return err_set(err, STATUS_DATA, "a ROI of more than %zu bytes", MAX_ROI);
        if (growing_add_all(bytes, data, size, err))
            return -1;
    }
    return result == ARCHIVE_EOF ? 0 : archive_failed(archive, err);
}

static int read_entries(struct archive *archive, struct growing *bytes, struct build *build,
                        annot_take *take, void *user, struct err *err)
{
    struct archive_entry *entry;
    const char *name;
    int result;
    while ((result = archive_read_next_header(archive, &entry)) == ARCHIVE_OK) {
        int is_roi = check_entry(entry, &name, err);
        if (is_roi < 0)
            return -1;
        if (is_roi && (read_entry(archive, bytes, err) ||
                       give(build, bytes->items, bytes->count, name, take, user, err)))
            return -1;
    }
    return result == ARCHIVE_EOF ? 0 : archive_failed(archive, err);
}

/* A zip without members is only the end of its directory, which libarchive may
 * not recognise. */
static bool is_empty_zip(const struct annot_file *file)
{
    static const unsigned char end[22] = "PK\5\6";
    return file->bytes.size == sizeof end && memcmp(file->bytes.data, end, sizeof end) == 0;
}

/* Through the directory at the end, so that a zip that was cut is refused. */
int roi_zip_read(struct annot_file *file, annot_take *take, void *user, struct err *err)
{
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
        result = read_entries(archive, &bytes, &build, take, user, err);
    archive_read_free(archive);
    growing_free(&bytes);
    build_free(&build);
    return result;
}
