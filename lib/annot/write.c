#include "annot/write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "core/text.h"

static const struct write_format *format_of(const struct annot_writer *writer)
{
    static const struct write_format *const formats[] = {
        [ANNOT_ROI_ZIP] = &write_roi_zip, [ANNOT_GEOJSON] = &write_geojson,
        [ANNOT_COCO] = &write_coco,       [ANNOT_COCO_RLE] = &write_coco,
        [ANNOT_SVG] = &write_svg,         [ANNOT_LABELME] = &write_labelme};
    return formats[writer->format];
}

/* ---- text ---- */

int write_number(struct annot_writer *writer, int64_t number, struct err *err)
{
    char digits[24], *at = digits + sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *--at = '-';
    return outfile_put(writer->out, at, (size_t)(digits + sizeof digits - at), err);
}

int write_coordinate(struct annot_writer *writer, double value, struct err *err)
{
    char number[NUM_PRINT_SIZE];
    if (value == floor(value))
        return write_number(writer, (int64_t)value, err);
    num_print(number, round(value * 100) / 100);
    return outfile_print(writer->out, err, "%s", number);
}

static double times_larger(double full, int64_t side)
{
    return full > 0 && side > 0 ? full / (double)side : 1;
}

void write_scale(const struct annot_image *image, double scale[2])
{
    scale[0] = times_larger(image->full_width, image->width);
    scale[1] = times_larger(image->full_height, image->height);
}

/* What replaces a character, NULL when it may stay. */
static const char *json_escape(const unsigned char *s, char to[8])
{
    if (*s == '"' || *s == '\\')
        snprintf(to, 8, "\\%c", *s);
    else if (*s < 0x20)
        snprintf(to, 8, "\\u%04x", *s);
    else
        return NULL;
    return to;
}

static const char *xml_escape(const unsigned char *s, char to[8])
{
    (void)to;
    return *s == '<'   ? "&lt;"
           : *s == '>' ? "&gt;"
           : *s == '&' ? "&amp;"
           : *s == '"' ? "&quot;"
           : *s < 0x20 ? "?"
                       : NULL;
}

static int write_escaped(struct annot_writer *writer, const char *text,
                         const char *(*escape)(const unsigned char *, char *), struct err *err)
{
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        char room[8];
        size_t n = text_utf8_length((const char *)s);
        const char *instead = n ? escape(s, room) : "?";
        if (outfile_put(writer->out, instead ? instead : (const char *)s,
                        instead ? strlen(instead) : n, err))
            return -1;
        s += n ? n : 1;
    }
    return 0;
}

int write_json_string(struct annot_writer *writer, const char *text, struct err *err)
{
    if (outfile_put(writer->out, "\"", 1, err) || write_escaped(writer, text, json_escape, err))
        return -1;
    return outfile_put(writer->out, "\"", 1, err);
}

int write_xml_text(struct annot_writer *writer, const char *text, struct err *err)
{
    return write_escaped(writer, text, xml_escape, err);
}

/* ---- begin and end ---- */

int annot_create(struct annot_writer **result, const char *path, enum annot_format format,
                 struct err *err)
{
    struct annot_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return err_memory(err, "annotations");
    writer->format = format;
    writer->names.size = sizeof(char *);
    writer->images.size = sizeof(struct annot_image);
    writer->runs.size = sizeof(uint32_t);
    if (outfile_open(&writer->out, path, err)) {
        free(writer);
        return -1;
    }
    *result = writer;
    return 0;
}

static void free_names(struct annot_writer *writer)
{
    char **names = writer->names.items;
    const struct annot_image *images = writer->images.items;
    for (size_t i = 0; i < writer->names.count; i++)
        free(names[i]);
    for (size_t i = 0; i < writer->images.count; i++)
        free((char *)images[i].name);
    growing_free(&writer->names);
    growing_free(&writer->images);
}

/* All but the outfile. */
static void release(struct annot_writer *writer)
{
    write_roi_zip_free(writer);
    free_names(writer);
    growing_free(&writer->runs);
    free(writer);
}

void annot_abort(struct annot_writer *writer)
{
    if (!writer)
        return;
    struct outfile *out = writer->out;
    release(writer);
    outfile_abort(out);
}

int annot_commit(struct annot_writer *writer, struct err *err)
{
    struct outfile *out = writer->out;
    if (format_of(writer)->end(writer, err)) {
        annot_abort(writer);
        return -1;
    }
    release(writer);
    return outfile_commit(out, err);
}

/* ---- objects ---- */

static int number_class(struct annot_writer *writer, const char *name, size_t *index,
                        struct err *err)
{
    char **names = writer->names.items;
    for (*index = 0; *index < writer->names.count; (*index)++)
        if (strcmp(names[*index], name) == 0)
            return 0;
    char *copy = strdup(name);
    if (!copy)
        return err_memory(err, "the names of classes");
    if (growing_add(&writer->names, &copy, err)) {
        free(copy);
        return -1;
    }
    return 0;
}

static const char *class_of(const struct annot_classes *classes, uint32_t label)
{
    if (!classes || classes->count == 0)
        return "cell";
    size_t index = classes->class_of && label < classes->labels ? classes->class_of[label] : 0;
    return classes->names[index < classes->count ? index : 0];
}

static int put_object(struct annot_writer *writer, struct write_object *object,
                      const struct annot_classes *classes, struct err *err)
{
    struct annot_object outline;
    object->class_name = class_of(classes, object->box->label);
    if (number_class(writer, object->class_name, &object->class_index, err) ||
        annot_trace(&outline, object->labels, object->box, err))
        return -1;
    object->outline = &outline;
    int result = format_of(writer)->object(writer, object, err);
    object->outline = NULL;
    annot_object_free(&outline);
    writer->objects++;
    return result;
}

static int by_label(const void *a, const void *b)
{
    uint32_t x = ((const struct box *)a)->label, y = ((const struct box *)b)->label;
    return (x > y) - (x < y);
}

static int put_objects(struct annot_writer *writer, const struct write_object *object,
                       const struct annot_classes *classes, struct err *err)
{
    const struct array *labels = object->labels;
    struct boxes boxes;
    if (boxes_of(&boxes, labels->data, labels->shape[0], labels->shape[1], err))
        return -1;
    if (boxes.count)
        qsort(boxes.items, boxes.count, sizeof *boxes.items, by_label);
    int result = 0;
    for (size_t i = 0; i < boxes.count && result == 0; i++) {
        struct write_object one = *object;
        one.box = &boxes.items[i];
        result = put_object(writer, &one, classes, err);
    }
    boxes_free(&boxes);
    return result;
}

static int note_image(struct annot_writer *writer, const struct annot_image *image, struct err *err)
{
    struct annot_image noted = *image;
    char *name = strdup(image->name);
    if (!name)
        return err_memory(err, "annotations");
    noted.name = name;
    if (growing_add(&writer->images, &noted, err)) {
        free(name);
        return -1;
    }
    return 0;
}

int annot_put(struct annot_writer *writer, const struct annot_image *image,
              const struct array *labels, const struct annot_classes *classes,
              struct cell_values *values, struct err *err)
{
    if (labels->ndim != 2 || labels->dtype != DTYPE_U32)
        return err_set(err, STATUS_BUG, "a label image is height x width of uint32");
    if (writer->images.count && !format_of(writer)->many_images)
        return err_set(err, STATUS_USAGE, "write '%s': this format holds one image",
                       outfile_name(writer->out));
    struct annot_image filled = *image;
    filled.width = (int64_t)labels->shape[1];
    filled.height = (int64_t)labels->shape[0];
    struct write_object object = {.image = &filled, .labels = labels, .values = values};
    if (format_of(writer)->begin(writer, &filled, err) || note_image(writer, &filled, err))
        return -1;
    return put_objects(writer, &object, classes, err);
}
