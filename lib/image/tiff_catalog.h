/* Private to lib/image: the pages of a TIFF, and which of them are planes of one image. */
#ifndef IMAGE_TIFF_CATALOG_H
#define IMAGE_TIFF_CATALOG_H

#include "image/codec.h"
#include "image/tiff_io.h"

/* Where a plane is: a directory, and how many planes of its size lie before it in its strip. */
struct tiff_place {
    uint64_t directory; /* offset in the file; 0: the plane is not in it */
    int64_t skip;
};

/* A page, or a sub-image. */
struct tiff_ifd {
    uint64_t directory;
    uint32_t width, height;
    uint16_t samples, bits, format, photometric;
    bool is_reduced, is_mask;
};

struct tiff_ifds {
    struct tiff_ifd *ifds;
    size_t count;
};

/* Planes of one size that belong together. */
struct tiff_series {
    char *name;                       /* NULL without one */
    struct tiff_ifd like;             /* what its planes look like */
    int64_t c, z, t;                  /* planes along each axis */
    bool is_known;                    /* what the axes are; else z counts pages */
    char **channels;                  /* names, c of them, each may be NULL; or NULL */
    struct tiff_place *places;        /* c * z * t of them: channels change first, then z, then t */
    double pixel_width, pixel_height; /* micrometers; 0: what the page says */
};

struct tiff_catalog {
    struct tiff_ifds pages;
    struct tiff_ifds subimages; /* of the first page */
    struct tiff_ifds reduced;   /* of a single image: its smaller copies, the largest first */
    struct tiff_series *series;
    size_t count;
    bool is_imagej, is_tifffile; /* they say so */
};

/* Reads the directories of all pages; at least one series.  The caller ends it with
 * tiff_catalog_free, also after a failure. */
int tiff_catalog_read(const struct image_reader *reader, TIFF *tif, struct tiff_io *io,
                      struct tiff_catalog *catalog, struct err *err) MUST_CHECK;
void tiff_catalog_free(struct tiff_catalog *catalog);

/* The current directory. */
struct tiff_ifd tiff_ifd_read(TIFF *tif);

/* ---- private to tiff_catalog.c and the files that know one way to say what pages are ---- */

/* A new series of c x z x t planes, whose places are zeroed; NULL without memory. */
struct tiff_series *tiff_catalog_add(struct tiff_catalog *catalog, const struct tiff_ifd *like,
                                     int64_t c, int64_t z, int64_t t, struct err *err);

/* The same planes, one after the other in the first page's strip: as many as the bytes say that
 * are there. */
bool tiff_is_contiguous(TIFF *tif, const struct tiff_ifd *first, int64_t planes, int64_t file_size);

/* Keeps a copy of a channel's name, without spaces about it; of an empty one nothing. */
int tiff_series_name(struct tiff_series *series, int64_t channel, const char *name, size_t length,
                     struct err *err) MUST_CHECK;

/* Whether both are planes of one image. */
bool tiff_ifds_are_alike(const struct tiff_ifd *a, const struct tiff_ifd *b);

/* What a file's own words say of it. */
struct tiff_words {
    TIFF *tif; /* at its first directory */
    const struct image_source *source;
    const char *description; /* of the first page, "" without one */
};

/* Each adds the series that it knows of, or nothing; -1 only without memory. */
int tiff_series_ome(struct tiff_catalog *catalog, const struct tiff_words *words,
                    struct err *err) MUST_CHECK;
int tiff_series_imagej(struct tiff_catalog *catalog, const struct tiff_words *words,
                       struct err *err) MUST_CHECK;
int tiff_series_lsm(struct tiff_catalog *catalog, const struct tiff_words *words,
                    struct err *err) MUST_CHECK;
int tiff_series_micromanager(struct tiff_catalog *catalog, const struct tiff_words *words,
                             struct err *err) MUST_CHECK;
int tiff_series_stk(struct tiff_catalog *catalog, const struct tiff_words *words,
                    struct err *err) MUST_CHECK;
int tiff_series_shaped(struct tiff_catalog *catalog, const struct tiff_words *words,
                       struct err *err) MUST_CHECK;

#endif
