/* One sample of the tensor stream: a key and its members, held in memory.
 *
 * A member is either an array (its name ends in ".npy" in the archive) or bytes
 * that pass through untouched.  Arrays that were read are views of the member's
 * own buffer, so reading does not copy pixels; they may be changed in place. */
#ifndef STREAM_SAMPLE_H
#define STREAM_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/array.h"

struct member {
    char *name;           /* what follows the key and its dot: "image.npy", "json" */
    bool is_array;        /* `array` is valid; else `bytes` */
    struct array array;   /* owned */
    unsigned char *bytes; /* owned */
    size_t size;          /* of bytes */
    int64_t end;          /* where its data end in the file, see stream_keep_places; else 0 */
};

struct sample {
    char *key;
    struct member *members;
    size_t count;
};

/* A new empty sample.  The key must follow the rules of tensor-stream(5). */
int sample_init(struct sample *sample, const char *key, struct err *err) MUST_CHECK;
void sample_free(struct sample *sample);

/* The array of member NAME.npy ("image", "mask", "prob", ...); NULL when the
 * sample has none.  Borrowed. */
struct array *sample_array(const struct sample *sample, const char *name);

/* The same, but a sample without it, with another number of dimensions or with a type that
 * tensor-stream(5) does not allow for that name is an error.  What NumPy programs often have
 * instead is made of it first, in place: 64-bit labels, booleans, doubles, images without an
 * axis of channels or with it in front, axes of one element. */
struct array *sample_require(const struct sample *sample, const char *name, struct err *err);

/* The same, but *array is NULL for a sample without it. */
int sample_seek(const struct sample *sample, const char *name, struct array **array,
                struct err *err) MUST_CHECK;

/* Adds or replaces NAME.npy; takes the array's memory over, also on failure. */
int sample_put_array(struct sample *sample, const char *name, struct array *array,
                     struct err *err) MUST_CHECK;

/* Adds or replaces the member called exactly `name`; copies the bytes. */
int sample_put_bytes(struct sample *sample, const char *name, const void *bytes, size_t size,
                     struct err *err) MUST_CHECK;

/* Removes NAME.npy; does nothing when it is not there. */
void sample_drop_array(struct sample *sample, const char *name);

/* The member called exactly `name` ("image.npy", "json"), or NULL.  Borrowed. */
struct member *sample_member(const struct sample *sample, const char *name);

/* Adds a member that is not there yet, another is STATUS_DATA; takes over the
 * memory of its array or bytes, and copies its name, which must follow the rules.
 * On failure the memory stays the caller's. */
int sample_add_member(struct sample *sample, const struct member *member,
                      struct err *err) MUST_CHECK;

/* A key made of a file's name: its stem with every character that keys may not
 * have replaced by '_'.  New; the caller frees it.  NULL when out of memory. */
char *sample_key_from_path(const char *path);

/* Letters, digits, '_' and '-', in components between '/' that are not empty and
 * do not begin with '-'; at most SAMPLE_MAX_NAME bytes. */
#define SAMPLE_MAX_NAME 1000
bool sample_key_is_valid(const char *key);

/* The part of a key that all tiles of an image share: what comes before the last two
 * of the components STEM/SIZE/PLACE that tile(1) makes.  Cut to `size` bytes. */
void sample_image_key(const char *key, char *image, size_t size);

/* ---- KEY.json: where a tile comes from ---- */

/* Everything is in pixels of the source image.  A source that was resized to
 * make the tile has scale != 1: tile pixels = source pixels * scale. */
struct tile_meta {
    char source[1024];     /* the file's true name, "" when unknown; bytes that are not
                              UTF-8 are kept as %XX */
    char key[2100];        /* of the sample where it came from, if that can be none here; or "" */
    char id[40];           /* of the source's file: others of that name have another; "" unknown */
    char incomplete[1600]; /* why the source has no tiles after this one; "" when it has */
    int64_t source_width, source_height;
    double full_width, full_height;   /* of the file's largest level, where the source is another,
                                         or was scaled as it was read; else 0 */
    int source_channels, source_bits; /* bits a channel: 8, 16, 32 */
    double pixel_width, pixel_height; /* micrometers a pixel; 0 when unknown */
    int64_t x, y, width, height;      /* the tile's place; may reach past the source (padding) */
    double scale_x, scale_y;
    int64_t pad_left, pad_top, pad_right, pad_bottom; /* source pixels of that place outside */
    int64_t index, count; /* this tile's number among its source's, and how many there are */
    /* A network sees (value - offset) * gain; offset 0 and gain 0 mean the default,
     * uint8 / 255, uint16 / 65535, float32 as it is. */
    double normalize_offset, normalize_gain;
    /* The 1st and 99th percentile of the whole source's values, for networks that see them
     * as 0 and 1; both 0: unknown. */
    double range_low, range_high;
    /* The gray value that label 1 had in the mask's file: 255 or 65535 for a mask
     * drawn in black and white, whose labels are 0 and 1 here; else 0. */
    int64_t mask_unit;
    double
        cell_diameter; /* in the tile's pixels, as predict was told or estimated it; 0: unknown */
    double network_scale; /* the network chose to see its pixels * this (predict --rescale); 0: it
                             was not asked */
    char flows[16];       /* FLOW_TARGET_WORDS (objects/flows.h); "": diffusion */
};

/* Reads KEY.json; 0 when it is there and whole, 1 when the sample has none
 * (then *meta is zero), -1 when it is wrong. */
int sample_get_meta(const struct sample *sample, struct tile_meta *meta,
                    struct err *err) MUST_CHECK;

/* Notes in KEY.json that the sample's key was another one, if that says no such thing and is
 * a JSON object or not there. */
int sample_note_key(struct sample *sample, const char *key, struct err *err) MUST_CHECK;

/* What a network sees of a sample is (value - *offset) * *gain: by the constants of its own if
 * it has some, else, for a network that sees ranges, by its source's range, else by the
 * default of the type.  A gain of 0 stands for the range of the image itself. */
void sample_scale(const struct tile_meta *meta, enum dtype dtype, bool ranges, double *offset,
                  double *gain);

/* Writes KEY.json.  Fields that a KEY.json already there has and struct
 * tile_meta does not know are kept. */
int sample_put_meta(struct sample *sample, const struct tile_meta *meta,
                    struct err *err) MUST_CHECK;

#endif
