/* Writing annotations, shared by the writers of formats. */
#ifndef ANNOT_WRITE_H
#define ANNOT_WRITE_H

#include "annot/annot.h"
#include "core/growing.h"
#include "core/outfile.h"

struct archive;
struct archive_entry;

struct annot_writer {
    struct outfile *out;
    enum annot_format format;
    struct growing names;  /* of char *: classes, in the order of their first use */
    struct growing images; /* of struct annot_image with names of their own */
    struct growing runs;   /* of uint32_t */
    uint64_t objects;
    struct archive *archive; /* of ROIs */
    struct archive_entry *entry;
    struct err write_err; /* of the archive's callback; status 0 when none */
    bool discard;
};

/* An object of an image, traced, and what it is called. */
struct write_object {
    const struct annot_image *image;
    const struct array *labels;
    const struct box *box;
    const struct annot_object *outline;
    size_t class_index; /* in writer->names */
    const char *class_name;
    struct cell_values *values; /* or NULL */
};

/* A whole number; there are many of them. */
int write_number(struct annot_writer *writer, int64_t number, struct err *err) MUST_CHECK;

/* Text in quotes as JSON has it, or escaped for XML. */
int write_json_string(struct annot_writer *writer, const char *text, struct err *err) MUST_CHECK;
int write_xml_text(struct annot_writer *writer, const char *text, struct err *err) MUST_CHECK;

/* A coordinate, to the hundredth of a pixel. */
int write_coordinate(struct annot_writer *writer, double value, struct err *err) MUST_CHECK;

/* How much larger the image's file is than what was labeled, in x and y: QuPath counts a
 * slide's pixels at level 0, whichever was looked at, and LabelMe opens the file. */
void write_scale(const struct annot_image *image, double scale[2]);

/* The formats: begin, an object, end. */
struct write_format {
    int (*begin)(struct annot_writer *, const struct annot_image *, struct err *);
    int (*object)(struct annot_writer *, const struct write_object *, struct err *);
    int (*end)(struct annot_writer *, struct err *);
    bool many_images;
};
extern const struct write_format write_geojson, write_coco, write_svg, write_roi_zip, write_labelme;

/* Frees what write_roi_zip allocated. */
void write_roi_zip_free(struct annot_writer *writer);

#endif
