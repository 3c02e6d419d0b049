/* Real cells on real grounds: cells cut out of images and pasted into others where none is, as in
 * Dwibedi, Misra and Hebert 2017 and Ghiasi et al. 2021.
 *
 * A cell is cut out with what lies up to PASTE_RIM pixels around it, and pasted with a rim that
 * fades into the new ground.  The ground, the median of what is no cell within PASTE_AROUND pixels
 * of its box, is taken from its values, and that of the place where it comes is added, so that it
 * is as much brighter or darker than what is around it as it was.  Its size stays as it is; it may
 * be turned by quarters and mirrored. */
#ifndef OBJECTS_PASTE_H
#define OBJECTS_PASTE_H

#include "core/array.h"
#include "core/growing.h"
#include "core/rng.h"

#define PASTE_RIM    3           /* pixels */
#define PASTE_AROUND 8           /* pixels */
#define PASTE_ROOM   (256 << 20) /* bytes of cells that are kept */

/* Cells cut out.  A zeroed one but for `room` is empty. */
struct cutouts {
    struct growing list;
    size_t bytes, room;
    uint64_t seen, every; /* of all cells one in `every` is kept */
};

/* Pixels of an image that are its own: rows top to bottom - 1, columns left to right - 1; what lies
 * beyond was added to fill a tile. */
struct paste_area {
    size_t top, left, bottom, right;
};

/* Cuts out the cells of an image, H x W x C of uint8, uint16 or float32, C of 1 to 4, that are
 * whole: in one piece, of 16 pixels at least, not at the border of the area, no wider or higher
 * than half of it, and with something around them that is no cell.  mask: H x W labels, of any
 * integers.  When more would be kept than there is room for, every other one is forgotten, and from
 * then on half as many are taken. STATUS_DATA for other images. */
int cutouts_take(struct cutouts *cutouts, const struct array *image, const struct array *mask,
                 const struct paste_area *area, struct err *err) MUST_CHECK;

/* Whether any of them is of the type and channels of the image; others are not pasted into it. */
bool cutouts_fit(const struct cutouts *cutouts, const struct array *image);

/* Pastes up to `most` cells, a number drawn evenly from 0 on, into a copy of the image and its
 * mask, the latter uint32, and numbers them from the largest label on; cells may touch and never
 * overlap. A cell for which twenty places were too narrow is left out.  Alpha, last of two or four
 * channels, stays.  *pasted: how many.  The caller frees the copies.  STATUS_DATA as cutouts_take.
 */
int cutouts_paste(const struct cutouts *cutouts, struct rng *rng, size_t most,
                  const struct array *image, const struct array *mask, struct array *new_image,
                  struct array *new_mask, size_t *pasted, struct err *err) MUST_CHECK;

void cutouts_free(struct cutouts *cutouts);

#endif
