/* Which planes of a file with several of them make the image. */
#ifndef IMAGE_PLANES_H
#define IMAGE_PLANES_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* What the user chose; zeroed: all channels of the only plane.  Texts are borrowed. */
struct image_planes {
    const char *channel; /* numbers from 1, or names, between commas; "all" or NULL: all */
    const char *z, *t;   /* a number from 1, or "max", "min" or "mean" of all; NULL: the only one */
    const char *series;  /* a number from 1, or a name; NULL: the only image of the file */
    int64_t level;       /* of a pyramid or a slide: 0, the largest, 1, ... */
    double um_per_pixel; /* 0: as it is; else the image is scaled to it, from a level that is
                            large enough */
};

/* What images and masks are opened with; programs read their options into it. */
extern struct planes_chosen {
    struct image_planes image;
    const char *mask_channel; /* of masks, for which the rest holds as well */
} planes_chosen;

/* Rows for the option table of a program that opens images, masks or both. */
/* clang-format off */
#define PLANES_OPTIONS                                                                             \
    {0, "channel", "N|NAME[,...]", "channels of images, numbers from 1 or names (default all)",    \
     CLI_CALL(planes_read_channel)},                                                               \
    {0, "mask-channel", "N|NAME", "the channel of masks that have several",                        \
     CLI_CALL(planes_read_mask_channel)},                                                          \
    {0, "z", "N|max|min|mean", "the slice of a stack, from 1, or all of them projected",           \
     CLI_CALL(planes_read_z)},                                                                     \
    {0, "t", "N|max|min|mean", "the frame of a film, likewise", CLI_CALL(planes_read_t)},          \
    {0, "series", "N|NAME", "the image of a file with several, from 1 or by name",                 \
     CLI_TEXT(planes_chosen.image.series)},                                                        \
    {0, "level", "N", "the level of a slide or a pyramid, from 0, the largest",                    \
     CLI_INT(planes_chosen.image.level, 0, 1000)},                                                 \
    {0, "mpp", "UM", "scale to pixels of UM micrometers, from a level that is large enough",       \
     CLI_REAL(planes_chosen.image.um_per_pixel, 1e-6, 1e6)}
/* clang-format on */

/* What these call: STATUS_USAGE when a text can be no choice at all. */
int planes_read_channel(const char *text, struct err *err) MUST_CHECK;
int planes_read_mask_channel(const char *text, struct err *err) MUST_CHECK;
int planes_read_z(const char *text, struct err *err) MUST_CHECK;
int planes_read_t(const char *text, struct err *err) MUST_CHECK;

/* ---- private to lib/image ---- */

#define PLANES_MAX_CHANNELS 64

/* What a file has along one axis. */
struct planes_axis {
    const char *option;       /* "--channel" */
    const char *word;         /* "channel" */
    const char *const *names; /* `count` of them, any of them NULL; or NULL */
    int64_t count;
};

/* The chosen channels, from 0, in the order of the text: how many, or -1 with STATUS_DATA when one
 * is not there. */
int planes_channels(const char *text, const struct planes_axis *axis, int *channels,
                    struct err *err) MUST_CHECK;

enum planes_projection { PLANES_ONE, PLANES_MAX, PLANES_MIN, PLANES_MEAN };

/* One of an axis, from 0, or all of them projected. */
struct planes_pick {
    enum planes_projection projection;
    int64_t index;
};
int planes_pick(const char *text, const struct planes_axis *axis, struct planes_pick *pick,
                struct err *err) MUST_CHECK;

#endif
