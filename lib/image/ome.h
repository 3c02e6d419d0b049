/* Private to lib/image: what OME-XML in the description of a TIFF says of its planes
 * (OME Data Model 2016-06 and before; "OME-TIFF specification"). */
#ifndef IMAGE_OME_H
#define IMAGE_OME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define OME_MAX_IMAGES   1000
#define OME_MAX_CHANNELS 1000
#define OME_MAX_DATA     1000000

/* TiffData: `count` planes from page `ifd` on are those from (c, z, t) on; -1 where it does not
 * say. */
struct ome_data {
    int64_t ifd, c, z, t, count;
    bool elsewhere; /* in another file */
};

struct ome_image {
    char *name;                       /* NULL without one */
    char order[8];                    /* "XYZCT": the first of C, Z, T after XY changes first */
    int64_t width, height;            /* 0 where it does not say, as below */
    int64_t c, z, t;                  /* channels, counted with all their samples */
    double pixel_width, pixel_height; /* micrometers */
    struct ome_channel {
        char *name; /* NULL without one */
        int64_t samples;
    } * channels;
    size_t channel_count;
    struct ome_data *data;
    size_t data_count;
};

struct ome {
    struct ome_image *images;
    size_t count;
    char uuid[80]; /* of this file; "" without one */
};

/* Whether the text looks like it. */
bool ome_is(const char *text);

/* 0 with what could be read (count 0: nothing, the text is broken), -1 without memory.  The
 * caller ends it with ome_free. */
int ome_read(struct ome *ome, const char *text, struct err *err) MUST_CHECK;
void ome_free(struct ome *ome);

#endif
