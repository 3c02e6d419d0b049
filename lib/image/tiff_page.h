/* Private to lib/image: the rows of one page of a TIFF. */
#ifndef IMAGE_TIFF_PAGE_H
#define IMAGE_TIFF_PAGE_H

#include "image/tiff_catalog.h"
#include "image/tiff_layout.h"

/* These are a decoder's functions, for a reader whose source is another one's: open fills its
 * info, orientation and palette. */
int tiff_page_open(struct image_reader *reader, const struct tiff_place *place,
                   struct err *err) MUST_CHECK;
int tiff_page_read(struct image_reader *reader, int64_t rows, void *to, struct err *err) MUST_CHECK;
/* What it holds in memory. */
size_t tiff_page_bytes(const struct image_reader *reader);
void tiff_page_rewind(struct image_reader *reader);
void tiff_page_close(struct image_reader *reader);

#endif
