/* GeoJSON and COCO. */
#include <inttypes.h>
#include <math.h>

#include "annot/rle.h"
#include "annot/write.h"
#include "core/names.h"
#include "core/num.h"

/* ---- GeoJSON: a FeatureCollection, as QuPath imports it ---- */

static int geojson_begin(struct annot_writer *writer, const struct annot_image *image,
                         struct err *err)
{
    if (outfile_print(writer->out, err, "{\"type\":\"FeatureCollection\","))
        return -1;
    /* a word of our own, by which it can be painted at the size that was looked at */
    if (image && image->full_width > 0 && image->full_height > 0 &&
        outfile_print(writer->out, err, "\"image\":{\"width\":%.0f,\"height\":%.0f},",
                      image->full_width, image->full_height))
        return -1;
    return outfile_print(writer->out, err, "\"features\":[");
}

/* scale: of x and of y */
static int geojson_ring(struct annot_writer *writer, const struct annot_ring *ring,
                        const double scale[2], struct err *err)
{
    if (outfile_print(writer->out, err, "["))
        return -1;
    for (size_t i = 0; i <= ring->n; i++) {
        const double *p = ring->points + 2 * (i % ring->n);
        if (outfile_put(writer->out, i ? ",[" : "[", i ? 2 : 1, err) ||
            write_coordinate(writer, p[0] * scale[0], err) ||
            outfile_put(writer->out, ",", 1, err) ||
            write_coordinate(writer, p[1] * scale[1], err) || outfile_put(writer->out, "]", 1, err))
            return -1;
    }
    return outfile_print(writer->out, err, "]");
}

static int geojson_polygon(struct annot_writer *writer, const struct annot_piece *piece,
                           const double scale[2], struct err *err)
{
    for (size_t i = 0; i < piece->count; i++)
        if (outfile_print(writer->out, err, i ? "," : "[") ||
            geojson_ring(writer, &piece->rings[i], scale, err))
            return -1;
    return outfile_print(writer->out, err, "]");
}

static int geojson_geometry(struct annot_writer *writer, const struct write_object *object,
                            struct err *err)
{
    const struct annot_object *outline = object->outline;
    double scale[2];
    write_scale(object->image, scale);
    if (outline->count == 1)
        return outfile_print(writer->out, err, "{\"type\":\"Polygon\",\"coordinates\":") ||
                       geojson_polygon(writer, &outline->pieces[0], scale, err)
                   ? -1
                   : outfile_print(writer->out, err, "}");
    if (outfile_print(writer->out, err, "{\"type\":\"MultiPolygon\",\"coordinates\":["))
        return -1;
    for (size_t i = 0; i < outline->count; i++)
        if ((i && outfile_print(writer->out, err, ",")) ||
            geojson_polygon(writer, &outline->pieces[i], scale, err))
            return -1;
    return outfile_print(writer->out, err, "]}");
}

/* What is known of the cell, under the names that the table of cells has. */
static int geojson_values(struct annot_writer *writer, struct cell_values *values, uint32_t label,
                          struct err *err)
{
    char name[CELL_VALUES_NAME], number[NUM_PRINT_SIZE];
    const char *separator = "";
    if (outfile_print(writer->out, err, ",\"measurements\":{"))
        return -1;
    for (int i = 0; i < cell_values_count(values); i++) {
        double value = cell_values_get(values, label, i, name);
        if (!isfinite(value))
            continue;
        num_print(number, value);
        if (outfile_print(writer->out, err, "%s\"%s\":%s", separator, name, number))
            return -1;
        separator = ",";
    }
    return outfile_print(writer->out, err, "}");
}

static int geojson_object(struct annot_writer *writer, const struct write_object *object,
                          struct err *err)
{
    uint32_t label = object->box->label;
    if (outfile_print(writer->out, err,
                      "%s\n{\"type\":\"Feature\",\"geometry\":", writer->objects ? "," : "") ||
        geojson_geometry(writer, object, err) ||
        outfile_print(writer->out, err,
                      ",\"properties\":{\"objectType\":\"detection\",\"label\":%" PRIu32
                      ",\"name\":\"%" PRIu32 "\",\"classification\":{\"name\":",
                      label, label) ||
        write_json_string(writer, object->class_name, err) ||
        outfile_print(writer->out, err, "}") ||
        (object->values && geojson_values(writer, object->values, label, err)))
        return -1;
    return outfile_print(writer->out, err, "}}");
}

static int geojson_end(struct annot_writer *writer, struct err *err)
{
    if (writer->images.count == 0 && geojson_begin(writer, NULL, err))
        return -1;
    return outfile_print(writer->out, err, "\n]}\n");
}

const struct write_format write_geojson = {geojson_begin, geojson_object, geojson_end, false};

/* ---- COCO: annotations as they come, images and categories after them ---- */

static int coco_begin(struct annot_writer *writer, const struct annot_image *image, struct err *err)
{
    (void)image;
    return writer->images.count ? 0 : outfile_print(writer->out, err, "{\"annotations\":[");
}

static int coco_polygons(struct annot_writer *writer, const struct annot_object *outline,
                         struct err *err)
{
    for (size_t i = 0; i < outline->count; i++) {
        const struct annot_ring *ring = &outline->pieces[i].rings[0];
        if (outfile_print(writer->out, err, i ? "],[" : "[["))
            return -1;
        for (size_t k = 0; k < 2 * ring->n; k++)
            if (outfile_put(writer->out, ",", k > 0, err) ||
                write_number(writer, (int64_t)ring->points[k], err))
                return -1;
    }
    return outfile_print(writer->out, err, "]]");
}

static int coco_runs(struct annot_writer *writer, const struct write_object *object,
                     struct err *err)
{
    writer->runs.count = 0;
    if (runs_of_label(&writer->runs, object->labels, object->box, err) ||
        outfile_print(writer->out, err, "{\"size\":[%" PRId64 ",%" PRId64 "],\"counts\":\"",
                      object->image->height, object->image->width))
        return -1;
    const uint32_t *runs = writer->runs.items;
    for (size_t i = 0; i < writer->runs.count; i++) {
        char text[RUNS_TEXT];
        size_t n = runs_encode(text, (int64_t)runs[i] - (i > 2 ? (int64_t)runs[i - 2] : 0));
        for (size_t k = 0; k < n; k++) /* of the characters used only \ needs an escape */
            if (outfile_put(writer->out, text[k] == '\\' ? "\\\\" : &text[k],
                            text[k] == '\\' ? 2 : 1, err))
                return -1;
    }
    return outfile_print(writer->out, err, "\"}");
}

static bool has_holes(const struct annot_object *outline)
{
    for (size_t i = 0; i < outline->count; i++)
        if (outline->pieces[i].count > 1)
            return true;
    return false;
}

static int coco_object(struct annot_writer *writer, const struct write_object *object,
                       struct err *err)
{
    const struct box *box = object->box;
    bool runs = writer->format == ANNOT_COCO_RLE || has_holes(object->outline);
    if (outfile_print(writer->out, err,
                      "%s\n{\"id\":%" PRIu64
                      ",\"image_id\":%zu,\"category_id\":%zu,\"label\":%" PRIu32
                      ",\"iscrowd\":0,\"area\":%" PRIu64 ",\"bbox\":[%zu,%zu,%zu,%zu],"
                      "\"segmentation\":",
                      writer->objects ? "," : "", writer->objects + 1, writer->images.count,
                      object->class_index + 1, box->label, box->area, box->left, box->top,
                      box->right - box->left, box->bottom - box->top) ||
        (runs ? coco_runs(writer, object, err) : coco_polygons(writer, object->outline, err)))
        return -1;
    return outfile_print(writer->out, err, "}");
}

static int coco_categories(struct annot_writer *writer, struct err *err)
{
    char **names = writer->names.items;
    if (outfile_print(writer->out, err, "\n],\"categories\":["))
        return -1;
    for (size_t i = 0; i < writer->names.count; i++)
        if (outfile_print(writer->out, err, "%s{\"id\":%zu,\"name\":", i ? "," : "", i + 1) ||
            write_json_string(writer, names[i], err) || outfile_print(writer->out, err, "}"))
            return -1;
    return outfile_print(writer->out, err, "]}\n");
}

/* Names that more than one of the images has without its folders. */
static int find_doubles(const struct annot_writer *writer, struct names *doubles, struct err *err)
{
    const struct annot_image *images = writer->images.items;
    struct names seen = {0};
    size_t length;
    int result = 0;
    for (size_t i = 0; i < writer->images.count && result >= 0; i++) {
        const char *base = names_stem(images[i].name, &length);
        result = names_add(&seen, base, err);
        if (result == 0)
            result = names_add(doubles, base, err);
    }
    names_free(&seen);
    return result < 0 ? -1 : 0;
}

/* Without folders where these are not needed to tell images apart. */
static int coco_images(struct annot_writer *writer, const struct names *doubles, struct err *err)
{
    const struct annot_image *images = writer->images.items;
    size_t length;
    for (size_t i = 0; i < writer->images.count; i++) {
        const char *base = names_stem(images[i].name, &length);
        const char *name = names_has(doubles, base) ? images[i].name : base;
        if (outfile_print(writer->out, err, "%s\n{\"id\":%zu,\"file_name\":", i ? "," : "",
                          i + 1) ||
            write_json_string(writer, name, err) ||
            outfile_print(writer->out, err, ",\"width\":%" PRId64 ",\"height\":%" PRId64 "}",
                          images[i].width, images[i].height))
            return -1;
    }
    return 0;
}

static int coco_end(struct annot_writer *writer, struct err *err)
{
    struct names doubles = {0};
    int result = find_doubles(writer, &doubles, err);
    if (result == 0 && writer->images.count == 0)
        result = coco_begin(writer, NULL, err);
    if (result == 0)
        result = outfile_print(writer->out, err, "\n],\"images\":[");
    if (result == 0)
        result = coco_images(writer, &doubles, err);
    names_free(&doubles);
    return result ? -1 : coco_categories(writer, err);
}

const struct write_format write_coco = {coco_begin, coco_object, coco_end, true};
