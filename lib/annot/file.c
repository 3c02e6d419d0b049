#include "annot/file.h"

#include <stdlib.h>
#include <string.h>

#include "core/io.h"

struct scan file_scan(const struct annot_file *file, const char *at)
{
    const char *begin = (const char *)file->bytes.data;
    return (struct scan){begin, at, begin + file->bytes.size};
}

/* ---- what it is ---- */

/* Walks over the outermost object once, which finds broken JSON anywhere. */
static int find_members(struct annot_file *file, bool *geo, bool *coco, struct err *err)
{
    struct scan scan = file->root;
    char key[32];
    bool first = true;
    int more;
    *geo = *coco = false;
    if (scan_open(&scan, '{', err))
        return -1;
    while ((more = scan_key(&scan, &first, key, sizeof key, err)) > 0) {
        scan_peek(&scan);
        if (strcmp(key, "features") == 0 || strcmp(key, "shapes") == 0)
            file->values = scan.at;
        *geo |= strcmp(key, "features") == 0 || strcmp(key, "geometry") == 0 ||
                strcmp(key, "coordinates") == 0;
        *coco |= strcmp(key, "annotations") == 0;
        if (scan_skip(&scan, err))
            return -1;
    }
    return more < 0 || scan_end(&scan, err) ? -1 : 0;
}

static int open_json(struct annot_file *file, struct err *err)
{
    bool geo, coco;
    file->root = file_scan(file, (const char *)file->bytes.data);
    if (scan_peek(&file->root) == '[') { /* a bare list of features */
        struct scan scan = file->root;
        file->values = file->root.at;
        file->kind = KIND_GEOJSON;
        return scan_skip(&scan, err) || scan_end(&scan, err) ? -1 : 0;
    }
    if (find_members(file, &geo, &coco, err))
        return -1;
    if (!geo && !coco && !file->values)
        return err_set(err, STATUS_DATA, "neither GeoJSON nor COCO nor LabelMe");
    file->kind = geo ? KIND_GEOJSON : coco ? KIND_COCO : KIND_LABELME;
    return geo ? 0 : coco ? coco_open(file, err) : labelme_open(file, err);
}

static int recognise(struct annot_file *file, struct err *err)
{
    if (file->bytes.size >= 4 && memcmp(file->bytes.data, "Iout", 4) == 0)
        file->kind = KIND_ROI;
    else if (file->bytes.size >= 4 && memcmp(file->bytes.data, "PK", 2) == 0)
        file->kind = KIND_ROI_ZIP;
    else
        return open_json(file, err);
    return 0;
}

/* The image of a file that is about one, unless it said so itself. */
static int add_image(struct annot_file *file, struct err *err)
{
    if (file->kind == KIND_COCO || file->images.count)
        return 0;
    struct coco_image image = {.name = strdup(file->path)};
    if (!image.name)
        return err_memory(err, "annotations");
    return growing_add(&file->images, &image, err);
}

int annot_open(struct annot_file **result, const char *path, struct err *err)
{
    struct annot_file *file = calloc(1, sizeof *file);
    if (!file || !(file->path = strdup(path))) {
        free(file);
        return err_memory(err, "annotations");
    }
    file->images.size = sizeof(struct coco_image);
    file->categories.size = sizeof(struct coco_category);
    file->places.size = sizeof(struct coco_place);
    if (filemap_open(&file->bytes, path, err)) {
        annot_close(file);
        return -1;
    }
    if (recognise(file, err) || add_image(file, err)) {
        annot_close(file);
        return err_prefix(err, "read '%s'", io_input_name(path));
    }
    *result = file;
    return 0;
}

void annot_close(struct annot_file *file)
{
    if (!file)
        return;
    struct coco_image *images = file->images.items;
    for (size_t i = 0; i < file->images.count; i++)
        free(images[i].name);
    growing_free(&file->images);
    growing_free(&file->categories);
    growing_free(&file->places);
    filemap_close(&file->bytes);
    free(file->path);
    free(file);
}

size_t annot_image_count(const struct annot_file *file)
{
    return file->images.count;
}

struct annot_image annot_image(const struct annot_file *file, size_t i)
{
    const struct coco_image *image = (const struct coco_image *)file->images.items + i;
    return (struct annot_image){image->name, image->width, image->height};
}

int annot_read(struct annot_file *file, size_t image, annot_take *take, void *user, struct err *err)
{
    int result = file->kind == KIND_ROI       ? roi_read(file, take, user, err)
                 : file->kind == KIND_ROI_ZIP ? roi_zip_read(file, take, user, err)
                 : file->kind == KIND_GEOJSON ? geojson_read(file, take, user, err)
                 : file->kind == KIND_LABELME ? labelme_read(file, take, user, err)
                                              : coco_read(file, image, take, user, err);
    return result ? err_prefix(err, "read '%s'", io_input_name(file->path)) : 0;
}
