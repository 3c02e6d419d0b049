/* Samples of streams read in any order: what training does with a pipe, and with files.
 * Those of a pipe are kept in an unlinked temporary file, those of files stay where they
 * are.  Only an offset a sample stays in memory. */
#ifndef STREAM_STORE_H
#define STREAM_STORE_H

#include "stream/sample.h"

struct store;

/* The caller frees it. */
int store_new(struct store **store, struct err *err) MUST_CHECK;
void store_free(struct store *store); /* NULL is fine */

/* Keeps key, image, mask and normalization of a sample; one without an image or a
 * mask, or with masks of another size, is STATUS_DATA (but see store_take_unlabeled). */
int store_add(struct store *store, const struct sample *sample, struct err *err) MUST_CHECK;

/* Adds all samples of a stream, "-" is standard input, and tells how many there are:
 * progress("samples read", count, 0).  Pixels of a file are found there and not copied, unless
 * they are of a kind that needs changes when read; at most STORE_FILES files are used so. */
#define STORE_FILES 256
int store_stream(struct store *store, const char *path,
                 void (*progress)(const char *unit, uint64_t done, uint64_t total),
                 struct err *err) MUST_CHECK;

/* As stream_failed, of the first of those streams that lacks something. */
int store_failed(const struct store *store, struct err *err);

size_t store_count(const struct store *store);
uint64_t store_size(const struct store *store); /* of the temporary file, in bytes.  For tests */

/* From now on samples without a mask are kept, too.  Those with one are counted first:
 * sample store_labeled is the first without. */
void store_take_unlabeled(struct store *store);
size_t store_labeled(const struct store *store);

/* Samples that are added from now on are for a network that sees ranges (sample_scale). */
void store_see_ranges(struct store *store);

struct stored {
    char key[1024];
    struct array image;  /* H x W x C */
    struct array mask;   /* H x W; without data where there is none */
    double offset, gain; /* of sample_scale */
    int64_t mask_unit;   /* of tile_meta: not 0 where the mask was drawn in black and white */
    void *buffer;        /* private: what the arrays are views of */
    size_t capacity;
};

/* Reads sample i into *to, which is zero-initialized or was used before; its
 * memory is used again.  A file that was changed since is STATUS_DATA.  Any number of threads may
 * read at once, each with a struct stored of its own. */
int store_read(const struct store *store, size_t i, struct stored *to, struct err *err) MUST_CHECK;
void stored_free(struct stored *stored);

/* SHA-256 over all that was added, in hex, 64 characters and a zero: the identity
 * of the data. */
void store_digest(const struct store *store, char digest[65]);

#endif
