/* Images whose channels are files of their own, as nnU-Net has them: case_0000.png, case_0001.png.
 */
#ifndef IMAGE_JOINED_H
#define IMAGE_JOINED_H

#include "image/image.h"

struct joined {
    char *name;         /* case.png; of a single file its path */
    const char **paths; /* of the channels; the texts are borrowed */
    size_t count;
};

/* Whether files that are numbered are channels of one image, or images. */
enum joined_wish { JOINED_AUTO, JOINED_CHANNELS, JOINED_IMAGES };
#define JOINED_WORDS "auto|channels|images"

/* The images that files are, in the order of their first files.  By JOINED_AUTO files _0000,
 * _0001, ... that are there without a gap are channels if they lie in imagesTr or imagesTs, or
 * if they are at most four, of one gray channel each and of one size.  The caller frees it with
 * joined_free. */
int joined_new(struct joined **images, size_t *image_count, char *const *paths, size_t count,
               enum joined_wish wish, struct err *err) MUST_CHECK;
void joined_free(struct joined *images, size_t count);

/* Opens such files as one image: all must have one channel, one size and one type. */
int joined_open(struct image_reader **reader, const char *const *paths, size_t count,
                struct err *err) MUST_CHECK;

#endif
