/* LabelMe: a JSON file an image, polygons in the pixels of the image's file. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annot/write.h"
#include "core/names.h"
#include "core/outfile.h"

static int begin(struct annot_writer *writer, const struct annot_image *image, struct err *err)
{
    (void)image;
    return outfile_print(writer->out, err, "{\"version\":\"5.0.1\",\"flags\":{},\"shapes\":[");
}

static int put_point(struct annot_writer *writer, const double *p, const double scale[2],
                     bool first, struct err *err)
{
    return outfile_put(writer->out, first ? "[" : ",[", first ? 1 : 2, err) ||
                   write_coordinate(writer, p[0] * scale[0], err) ||
                   outfile_put(writer->out, ",", 1, err) ||
                   write_coordinate(writer, p[1] * scale[1], err) ||
                   outfile_put(writer->out, "]", 1, err)
               ? -1
               : 0;
}

static int put_ring(struct annot_writer *writer, const struct annot_ring *ring,
                    const double scale[2], bool first, struct err *err)
{
    for (size_t i = 0; i < ring->n; i++)
        if (put_point(writer, ring->points + 2 * i, scale, first && i == 0, err))
            return -1;
    return 0;
}

/* One outline, as LabelMe knows no holes: from the outer ring's first point to each hole, round
 * it, and back the same way, so that what lies between stays inside. */
static int put_piece(struct annot_writer *writer, const struct annot_piece *piece,
                     const double scale[2], struct err *err)
{
    const double *start = piece->rings[0].points;
    if (put_ring(writer, &piece->rings[0], scale, true, err))
        return -1;
    for (size_t i = 1; i < piece->count; i++) {
        const struct annot_ring *hole = &piece->rings[i];
        if (put_point(writer, start, scale, false, err) ||
            put_ring(writer, hole, scale, false, err) ||
            put_point(writer, hole->points, scale, false, err))
            return -1;
    }
    return 0;
}

/* Pieces of one cell are a group. */
static int object(struct annot_writer *writer, const struct write_object *o, struct err *err)
{
    double scale[2];
    char group[24] = "null";
    write_scale(o->image, scale);
    if (o->outline->count > 1)
        snprintf(group, sizeof group, "%" PRIu32, o->box->label);
    for (size_t i = 0; i < o->outline->count; i++)
        if (outfile_print(writer->out, err, "%s\n{\"label\":", writer->objects || i ? "," : "") ||
            write_json_string(writer, o->class_name, err) ||
            outfile_print(writer->out, err, ",\"points\":[") ||
            put_piece(writer, &o->outline->pieces[i], scale, err) ||
            outfile_print(writer->out, err,
                          "],\"group_id\":%s,\"description\":\"\",\"shape_type\":\"polygon\","
                          "\"flags\":{}}",
                          group))
            return -1;
    return 0;
}

/* ---- where the image is, from the folder of the file that is written ---- */

static bool real_folder_of(const char *path, char folder[PATH_MAX])
{
    char copy[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    if (length >= sizeof copy)
        return false;
    memcpy(copy, slash ? path : ".", length ? length : 1);
    copy[length ? length : 1] = 0;
    return realpath(copy, folder) != NULL;
}

/* From a folder to a file, both real paths: "../images/x.png"; false when there is no room. */
static bool path_between(const char *folder, const char *file, char *to, size_t size)
{
    size_t common = 0, used = 0;
    for (size_t i = 0;; i++) {
        bool ends = !folder[i] || folder[i] == '/';
        if (ends && file[i] == '/')
            common = i + 1;
        if (!folder[i] || folder[i] != file[i])
            break;
    }
    for (const char *at = folder + common; common <= strlen(folder) && *at;) {
        if (used + 3 >= size)
            return false;
        memcpy(to + used, "../", 3);
        used += 3;
        at += strcspn(at, "/");
        at += *at == '/';
    }
    if (used + strlen(file + common) >= size)
        return false;
    strcpy(to + used, file + common);
    return true;
}

/* The name alone where the image or the file that is written is nowhere. */
static int put_image_path(struct annot_writer *writer, const char *image, struct err *err)
{
    char folder[PATH_MAX], file[PATH_MAX], relative[PATH_MAX];
    size_t length;
    bool known = strcmp(outfile_name(writer->out), "standard output") != 0 &&
                 realpath(image, file) && real_folder_of(outfile_name(writer->out), folder) &&
                 path_between(folder, file, relative, sizeof relative);
    return write_json_string(writer, known ? relative : names_stem(image, &length), err);
}

static int end(struct annot_writer *writer, struct err *err)
{
    static const struct annot_image nothing = {"", 0, 0};
    const struct annot_image *image =
        writer->images.count ? (const struct annot_image *)writer->images.items : &nothing;
    double scale[2];
    write_scale(image, scale);
    if (writer->images.count == 0 && begin(writer, image, err))
        return -1;
    if (outfile_print(writer->out, err, "\n],\"imagePath\":") ||
        put_image_path(writer, image->name, err))
        return -1;
    return outfile_print(writer->out, err,
                         ",\"imageData\":null,\"imageHeight\":%.0f,\"imageWidth\":%.0f}\n",
                         scale[1] * (double)image->height, scale[0] * (double)image->width);
}

const struct write_format write_labelme = {begin, object, end, false};
