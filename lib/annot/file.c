#include "annot/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annot/utf16.h"
#include "core/io.h"

struct scan file_scan(const struct annot_file *file, const char *at)
{
    const char *begin = file->text ? file->text : (const char *)file->bytes.data;
    size_t size = file->text ? file->text_size : file->bytes.size;
    return (struct scan){begin, at ? at : begin, begin + size};
}

/* ---- what it is ---- */

bool file_is_list(const struct annot_file *file)
{
    struct scan scan = file->root;
    return scan_peek(&scan) == '[';
}

const char *file_value(const struct annot_file *file, const char *key)
{
    for (size_t i = 0; i < file->key_count; i++)
        if (strcmp(file->keys[i].name, key) == 0)
            return file->keys[i].at;
    return NULL;
}

static int note_keys(struct annot_file *file, struct scan *scan, struct err *err)
{
    bool first = true;
    char key[sizeof file->keys->name];
    int more;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        scan_peek(scan);
        if (file->key_count < MAX_KEYS) {
            struct file_key *noted = &file->keys[file->key_count++];
            memcpy(noted->name, key, sizeof key);
            noted->at = scan->at;
        }
        if (scan_skip(scan, err))
            return -1;
    }
    return more;
}

/* Walks over all of it once, which finds what is broken anywhere. */
static int scan_values(struct annot_file *file, struct scan *scan, struct err *err)
{
    struct scan copy = *scan;
    struct err none;
    bool first = true;
    if (scan_peek(scan) == '{')
        return note_keys(file, scan, err);
    if (scan_peek(&copy) == '[' && scan_item(&copy, &first, &none) > 0 && scan_peek(&copy) == '{' &&
        note_keys(file, &copy, err))
        return -1;
    return scan_skip(scan, err);
}

/* As UTF-8 without a byte order mark. */
static int find_text(struct annot_file *file, struct err *err)
{
    if (utf16_decode(file->bytes.data, file->bytes.size, &file->text, &file->text_size, err))
        return -1;
    file->root = file_scan(file, NULL);
    if (file->root.end - file->root.at >= 3 && memcmp(file->root.at, "\xef\xbb\xbf", 3) == 0)
        file->root.at += 3;
    return 0;
}

static int scan_all(struct annot_file *file, struct err *err)
{
    struct scan scan = file->root;
    if (scan_peek(&scan) == '<')
        return err_set(err, STATUS_DATA, "XML that is not of CVAT");
    return scan_values(file, &scan, err) || scan_end(&scan, err) ? -1 : 0;
}

static void choose(struct annot_file *file, const struct annot_reader *const *readers)
{
    for (; *readers && !file->reader; readers++)
        file->reader = (*readers)->is(file) ? *readers : NULL;
}

static int recognize(struct annot_file *file, struct err *err)
{
    static const struct annot_reader *const binary[] = {&read_roi, &read_roi_zip, &read_roi_tiff,
                                                        NULL};
    static const struct annot_reader *const text[] = {&read_cvat, &read_yolo, NULL};
    static const struct annot_reader *const json[] = {&read_geojson, &read_coco, &read_labelme,
                                                      &read_via, NULL};
    choose(file, binary);
    if (!file->reader && find_text(file, err))
        return -1;
    choose(file, text);
    if (!file->reader && scan_all(file, err))
        return -1;
    choose(file, json);
    return file->reader
               ? 0
               : err_set(err, STATUS_DATA, "neither GeoJSON nor COCO, LabelMe, VIA, CVAT or YOLO");
}

/* ---- images ---- */

int file_add_image(struct annot_file *file, const char *name, const char *id, int64_t width,
                   int64_t height, struct err *err)
{
    struct file_image image = {strdup(name), id ? strdup(id) : NULL, width, height, false};
    if (!image.name || (id && !image.id) || growing_add(&file->images, &image, err)) {
        free(image.name);
        free(image.id);
        return err_memory(err, "annotations");
    }
    for (char *p = image.name; *p; p++)
        *p = *p == '\\' ? '/' : *p;
    return 0;
}

/* The image of a file that is about one, unless it said so itself. */
static int read_begin(struct annot_file *file, struct err *err)
{
    if (file->reader->open)
        return file->reader->open(file, err);
    return file_add_image(file, file->path, NULL, 0, 0, err);
}

/* ---- open and close ---- */

int annot_open(struct annot_file **result, const char *path, struct err *err)
{
    struct annot_file *file = calloc(1, sizeof *file);
    if (!file || !(file->path = strdup(path))) {
        free(file);
        return err_memory(err, "annotations");
    }
    file->images.size = sizeof(struct file_image);
    file->categories.size = sizeof(struct coco_category);
    file->places.size = sizeof(struct file_place);
    if (filemap_open(&file->bytes, path, err)) {
        annot_close(file);
        return -1;
    }
    if (recognize(file, err) || read_begin(file, err)) {
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
    struct file_image *images = file->images.items;
    for (size_t i = 0; i < file->images.count; i++) {
        free(images[i].name);
        free(images[i].id);
    }
    growing_free(&file->images);
    growing_free(&file->categories);
    growing_free(&file->places);
    filemap_close(&file->bytes);
    free(file->text);
    free(file->path);
    free(file);
}

size_t annot_image_count(const struct annot_file *file)
{
    return file->images.count;
}

struct annot_image annot_image(const struct annot_file *file, size_t i)
{
    const struct file_image *image = (const struct file_image *)file->images.items + i;
    return (struct annot_image){.name = image->name,
                                .width = image->width,
                                .height = image->height,
                                .scales = image->scales};
}

bool annot_fits(const struct annot_image *image, int64_t width, int64_t height)
{
    if (width == image->width && height == image->height)
        return true;
    double scale = (double)image->width / (double)width;
    return image->scales && fabs((double)height * scale - (double)image->height) <= fmax(scale, 1);
}

size_t annot_orphans(const struct annot_file *file)
{
    return file->orphans;
}

/* ---- objects ---- */

const struct annot_left_out *annot_left_out(const struct annot_file *file)
{
    return &file->left_out;
}

static void leave_out(struct annot_file *file, bool no_area, const char *what, size_t number,
                      const char *why)
{
    struct annot_left_out *left = &file->left_out;
    size_t *count = no_area ? &left->no_area : &left->broken;
    char *first = no_area ? left->first_no_area : left->first_broken, which[24] = "";
    if (number)
        snprintf(which, sizeof which, " %zu", number);
    if ((*count)++ == 0)
        snprintf(first, sizeof left->first_broken, "%.80s%s: %.80s", what, which, why);
}

int file_give(struct annot_file *file, struct build *build, int result, const char *what,
              size_t number, annot_take *take, void *user, struct err *err)
{
    struct annot_object object;
    if (result && err->status != STATUS_DATA)
        return -1;
    if (result)
        leave_out(file, build->no_area, what, number, err->message);
    else if (build->points.count == 0 && build->runs.count == 0)
        leave_out(file, true, what, number, "no outline");
    else {
        file->left_out.given++;
        return take(user, build_object(build, &object), err);
    }
    return 0;
}

int file_give_all(struct annot_file *file, struct scan scan,
                  int (*read)(const struct annot_file *file, struct scan *scan, struct build *build,
                              struct err *err),
                  const char *what, annot_take *take, void *user, struct err *err)
{
    struct build build = build_new();
    struct scan_walk walk = scan_walk(scan);
    int more = 1;
    for (size_t number = 1; more > 0 && (more = scan_next(&walk, err)) > 0; number++) {
        struct scan value = walk.scan;
        if (scan_skip(&walk.scan, err) ||
            file_give(file, &build, read(file, &value, &build, err), what, number, take, user, err))
            more = -1;
    }
    build_free(&build);
    return more;
}

int annot_read(struct annot_file *file, size_t image, annot_take *take, void *user, struct err *err)
{
    struct annot_left_out *left = &file->left_out;
    *left = (struct annot_left_out){0};
    int result = file->reader->read(file, image, take, user, err);
    if (result == 0 && left->given == 0 && left->broken + left->no_area)
        result = err_set(err, STATUS_DATA, "%s",
                         left->broken ? left->first_broken : left->first_no_area);
    return result ? err_prefix(err, "read '%s'", io_input_name(file->path)) : 0;
}
