/* The images whose intensities are measured under the objects of pictures. */
#ifndef TILES_INTENSITIES_H
#define TILES_INTENSITIES_H

#include "image/folder.h"
#include "image/values.h"
#include "objects/measure.h"
#include "tiles/picture.h"

struct intensities {
    const char *path; /* a file, or a folder's files matched by their stems; NULL: the
                         pictures' own images */
    bool is_folder;
    struct folder folder;
    struct image_values file;      /* that is read, of the current picture */
    const struct picture *picture; /* the current one, when its own image is read */
    size_t row;                    /* the next of that */
};

/* The path is borrowed.  The caller ends it with intensities_free, also after a failure. */
int intensities_open(struct intensities *intensities, const char *path, struct err *err) MUST_CHECK;
void intensities_free(struct intensities *intensities);

/* The picture's rows, valid until the next call; without channels when there are none.  A
 * picture of unknown size of pixels gets that of the file.  STATUS_DATA for a file of
 * another size, STATUS_NO_INPUT when the folder has none of the picture's stem. */
int intensities_of(struct intensities *intensities, struct picture *picture,
                   struct measure_image *image, struct err *err) MUST_CHECK;

#endif
