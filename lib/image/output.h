/* Image files that a program writes: core/destination.h for images. */
#ifndef IMAGE_OUTPUT_H
#define IMAGE_OUTPUT_H

#include "core/destination.h"
#include "image/image.h"

/* destination_set; STATUS_USAGE also for a file whose name ends as other kinds do. */
int image_destination_set(struct destination *destination, const char *path, const char *suffix,
                          struct err *err) MUST_CHECK;

/* Where an image goes and as what.  All is borrowed. */
struct image_output {
    const struct destination *to;
    const char *stem, *source; /* of its name in a folder; see destination_file */
    enum image_format format;
    enum image_compression compression;
};

/* The format that a file's name tells; in a folder and on standard output `otherwise`. */
enum image_format image_output_format(const struct destination *to, enum image_format otherwise);

/* image_create of what the output says; in a folder the name has the format's ending. */
int image_output_create(struct image_writer **writer, const struct image_output *output,
                        const struct image_info *info, struct err *err) MUST_CHECK;

#endif
