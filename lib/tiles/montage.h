/* An image of a tensor stream as a file: tiles in, rows of pixels out as they are
 * finished, and the outlines of its mask beside it.  Only the rows between are in memory
 * (tiles/mosaic.h). */
#ifndef TILES_MONTAGE_H
#define TILES_MONTAGE_H

#include "tiles/gather.h"
#include "tiles/mosaic.h"
#include "tiles/outlines.h"

#define MONTAGE_MAX_CLASSES 256 /* of labels, which have 8 bits */
#define MONTAGE_MAX_NAMES   64

/* What is written, and of what tiles.  Those of floating point, float16 or float32, are
 * blended; masks and images are pasted. */
enum montage_kind {
    MONTAGE_LABELS,      /* K x h x w probabilities: 0 and 255 for up to two classes, else
                            the class; 8 bits */
    MONTAGE_PROB,        /* K x h x w probabilities: of one class or the foreground; floats
                            as TIFF, 16 bits as PNG */
    MONTAGE_UNCERTAINTY, /* h x w, in the same way */
    MONTAGE_LOGITS,      /* K x h x w: a channel each, floats */
    MONTAGE_FLOWS,       /* 2 x h x w: the same */
    MONTAGE_MASK,        /* h x w labels: as they are, or white again where the mask was
                            black and white */
    MONTAGE_IMAGE,       /* h x w x C: as it is */
};

/* The name of a sample's array that such tiles are. */
const char *montage_array(enum montage_kind kind);

/* The first of its two dimensions that are height and width. */
int montage_axis(enum montage_kind kind);

/* Classes, logits, flows or channels of such a tile. */
size_t montage_planes(enum montage_kind kind, const struct array *tile);

/* The format that holds it, PNG where that does. */
enum image_format montage_format(enum montage_kind kind, const struct array *tile);

struct montage_options {
    enum montage_kind kind;
    enum blend_mode blend;
    float threshold;   /* of labels, as blend_labels has it */
    int class;         /* of MONTAGE_PROB; -1: all but the background */
    bool has_outlines; /* montage_outline follows */
};

struct montage {
    struct montage_options options;
    size_t planes;
    enum dtype dtype;                  /* of the tiles; blended ones become float32 */
    int64_t mask_unit;                 /* see struct tile_meta */
    struct image_info info;            /* of the file */
    char names[MONTAGE_MAX_NAMES][32]; /* of its channels, for OME-TIFF */
    const char *name_list[MONTAGE_MAX_NAMES];
    struct mosaic mosaic;
    struct image_writer *writer; /* NULL: there is no image */
    unsigned char *line;         /* a blended row as it is written */
    struct outlines outlines;
};

/* array: of the first tile, `mask_unit` of its struct tile_meta.  STATUS_DATA for too many classes.
 * The caller ends it with montage_free, also after a failure, and must not move the struct before.
 */
int montage_begin(struct montage *montage, const struct montage_options *options,
                  const struct image_output *to, const struct gather_image *image,
                  int64_t mask_unit, const struct array *array, struct err *err) MUST_CHECK;
void montage_free(struct montage *montage);

/* Outlines of the labels, the mask, or the classes of probabilities too; image_tile: h x w x
 * C, the first of the image under them. */
int montage_outline(struct montage *montage, const struct image_output *to,
                    const struct array *image_tile, struct err *err) MUST_CHECK;

/* Adds an array at the tile's place, by the rules of mosaic_add: one of the kind, or one of
 * the image under the outlines.  STATUS_DATA when it is empty. */
int montage_add(struct montage *montage, const struct array *array, const struct gather_tile *tile,
                struct err *err) MUST_CHECK;
int montage_add_under(struct montage *montage, const struct array *image_array,
                      const struct gather_tile *tile, struct err *err) MUST_CHECK;

/* Writes all rows above `until`, which is cut to the height. */
int montage_write(struct montage *montage, int64_t until, struct err *err) MUST_CHECK;

/* Pixels of the rows written that no tile had; they are 0. */
int64_t montage_uncovered(const struct montage *montage);

/* Closes the files, whose rows must all have been written. */
int montage_finish(struct montage *montage, struct err *err) MUST_CHECK;

#endif
