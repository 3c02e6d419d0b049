/* The images of a tensor stream: to which one a tile belongs, where it lies there, and
 * what is missing.
 *
 * Tiles are of one image when their sources' names, ids (struct tile_meta) and what their
 * keys share before SIZE/PLACE are the same; those of an image follow each other.  A sample
 * that tells no source is an image of its own. */
#ifndef TILES_GATHER_H
#define TILES_GATHER_H

#include <stdbool.h>

#include "stream/sample.h"

#define GATHER_MAX_SIDE ((int64_t)1 << 24) /* pixels of an image's side */

struct gather_tile {
    const struct sample *sample;
    struct tile_meta meta;
    int64_t x, y, width, height; /* its place in the image, in pixels of that */
};

struct gather_image {
    char name[2100];                /* of the source, else the key that its sample had */
    char key[SAMPLE_MAX_NAME + 1];  /* what its tiles' keys share; of one sample all of it */
    char stem[SAMPLE_MAX_NAME + 1]; /* of files made of it: the name's, with a number where
                                       others of the stream have it */
    int64_t width, height;
    double full_width, full_height;   /* of a larger image that this one was scaled from, or 0 */
    double pixel_width, pixel_height; /* micrometers, 0 when unknown */
    int64_t tiles, missing;           /* tiles that came, and that its source has besides */
    uint64_t allowed;                 /* pixels that an image of the tiles so far may have */
};

struct gather_options {
    bool by_tile;         /* each sample is an image of its own */
    bool as_tiled;        /* images in the scale of their tiles, not of their source */
    const char *only_one; /* an option: a second image is STATUS_USAGE, "use OPTION DIR/" */
};

/* What is done with them; `user` comes first in each. */
struct gather_taker {
    void *user;
    /* Height and width of a sample's arrays. */
    int (*measure)(void *user, const struct sample *sample, size_t size[2], struct err *err);
    /* A new image, with its first tile, which `add` gets too. */
    int (*begin)(void *user, const struct gather_image *image, const struct gather_tile *first,
                 struct err *err);
    int (*add)(void *user, const struct gather_tile *tile, struct err *err);
    /* All its tiles came. */
    int (*end)(void *user, const struct gather_image *image, struct err *err);
    /* Instead of `end`: its source could not be read to the end; why has the message. */
    void (*drop)(void *user, const struct gather_image *image, const struct err *why);
    void (*progress)(const char *unit, uint64_t done, uint64_t total); /* may be NULL */
};

/* All images of the stream, "-" is standard input.  -1 with a message that names the
 * stream, also when it has no sample; 1 with one, STATUS_SOME_FAILED, when images were
 * dropped or sources failed before (stream_failed); else 0.  An image that was begun and
 * neither ended nor dropped is the taker's to abandon. */
int gather_stream(const char *path, const struct gather_options *options,
                  const struct gather_taker *taker, struct err *err) MUST_CHECK;

#endif
