/* Outlines as SVG, one path an object, in the pixels of the image. */
#include <inttypes.h>

#include "annot/write.h"
#include "core/names.h"

static int begin(struct annot_writer *writer, const struct annot_image *image, struct err *err)
{
    size_t length;
    if (outfile_print(writer->out, err,
                      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%" PRId64
                      "\" height=\"%" PRId64 "\" viewBox=\"0 0 %" PRId64 " %" PRId64 "\">\n<title>",
                      image->width, image->height, image->width, image->height) ||
        write_xml_text(writer, names_stem(image->name, &length), err))
        return -1;
    return outfile_print(writer->out, err,
                         "</title>\n<style>path{vector-effect:non-scaling-stroke}</style>\n"
                         "<g fill=\"none\" fill-rule=\"evenodd\" stroke=\"#ffd200\">\n");
}

/* Points of a traced ring differ in one coordinate only. */
static int write_ring(struct annot_writer *writer, const struct annot_ring *ring, struct err *err)
{
    const double *p = ring->points;
    if (outfile_print(writer->out, err, "M%.0f %.0f", p[0], p[1]))
        return -1;
    for (size_t i = 1; i < ring->n; i++) {
        bool across = p[2 * i + 1] == p[2 * i - 1];
        if (outfile_put(writer->out, across ? "H" : "V", 1, err) ||
            write_number(writer, (int64_t)p[2 * i + (across ? 0 : 1)], err))
            return -1;
    }
    return outfile_print(writer->out, err, "Z");
}

static int object(struct annot_writer *writer, const struct write_object *o, struct err *err)
{
    if (outfile_print(writer->out, err, "<path id=\"label-%" PRIu32 "\" d=\"", o->box->label))
        return -1;
    for (size_t i = 0; i < o->outline->count; i++)
        for (size_t j = 0; j < o->outline->pieces[i].count; j++)
            if (write_ring(writer, &o->outline->pieces[i].rings[j], err))
                return -1;
    if (outfile_print(writer->out, err, "\"><title>") || write_xml_text(writer, o->class_name, err))
        return -1;
    return outfile_print(writer->out, err, " %" PRIu32 "</title></path>\n", o->box->label);
}

static int end(struct annot_writer *writer, struct err *err)
{
    static const struct annot_image nothing = {"", 1, 1};
    if (writer->images.count == 0 && begin(writer, &nothing, err))
        return -1;
    return outfile_print(writer->out, err, "</g>\n</svg>\n");
}

const struct write_format write_svg = {begin, object, end, false};
