#include "annot/export.h"

#include <string.h>

static bool holds_several(enum annot_format format)
{
    return format == ANNOT_COCO || format == ANNOT_COCO_RLE;
}

static const char *ending_of(enum annot_format format)
{
    static const char *const endings[] = {
        [ANNOT_ROI_ZIP] = "zip",   [ANNOT_GEOJSON] = "geojson", [ANNOT_COCO] = "json",
        [ANNOT_COCO_RLE] = "json", [ANNOT_SVG] = "svg",         [ANNOT_LABELME] = "json"};
    return endings[format];
}

int annot_export_begin(struct annot_export *export, enum annot_format format, const char *path,
                       const char *suffix, bool several, struct err *err)
{
    bool one_file = holds_several(format);
    size_t length = strlen(path);
    *export = (struct annot_export){.format = format};
    if (one_file && (path_is_folder(path) || (length && path[length - 1] == '/')))
        return err_set(err, STATUS_USAGE, "'%s': COCO is one file for all images", path);
    if (destination_set(&export->to, path, suffix, err))
        return -1;
    if (several && !one_file && !export->to.is_folder)
        return err_set(err, STATUS_USAGE, "several images need a folder for '%s'", path);
    return 0;
}

static int create(struct annot_export *export, const char *stem, const char *source,
                  struct err *err)
{
    char path[4096];
    return destination_file(&export->to, stem, source, ending_of(export->format), path, sizeof path,
                            err)
               ? -1
               : annot_create(&export->writer, path, export->format, err);
}

int annot_export_put(struct annot_export *export, const struct annot_image *image, const char *stem,
                     const char *source, const struct array *labels, struct cell_values *values,
                     struct err *err)
{
    if (!export->writer && create(export, stem, source, err))
        return -1;
    if (annot_put(export->writer, image, labels, NULL, values, err)) {
        annot_export_abort(export);
        return -1;
    }
    return holds_several(export->format) ? 0 : annot_export_commit(export, err);
}

int annot_export_commit(struct annot_export *export, struct err *err)
{
    struct annot_writer *writer = export->writer;
    export->writer = NULL;
    return writer ? annot_commit(writer, err) : 0;
}

void annot_export_abort(struct annot_export *export)
{
    annot_abort(export->writer);
    export->writer = NULL;
}
