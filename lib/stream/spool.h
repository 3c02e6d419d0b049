/* Samples of streams read in any order: what training does with a pipe, and with files.
 * Those of a pipe are kept in an unlinked temporary file, those of files stay where they
 * are.  Only an offset a sample stays in memory. */
#ifndef STREAM_SPOOL_H
#define STREAM_SPOOL_H

#include "stream/sample.h"

struct spool;

/* The caller frees it. */
int spool_new(struct spool **spool, struct err *err) MUST_CHECK;
void spool_free(struct spool *spool); /* NULL is fine */

/* Samples that are added from now on were read from this descriptor with
 * stream_keep_places; -1: not from a file.  Their pixels are then found there and not
 * copied, unless they are of a kind that needs changes when read.  `name` is for
 * messages.  At most SPOOL_FILES files are used so, others are copied. */
int spool_from(struct spool *spool, int fd, const char *name, struct err *err) MUST_CHECK;
#define SPOOL_FILES 256

/* Keeps key, image, mask and normalisation of a sample; one without an image or a
 * mask, or with masks of another size, is STATUS_DATA (but see spool_take_unlabelled). */
int spool_add(struct spool *spool, const struct sample *sample, struct err *err) MUST_CHECK;

/* Adds all samples of a stream, "-" is standard input, and tells how many there are:
 * progress("samples read", count, 0). */
int spool_stream(struct spool *spool, const char *path,
                 void (*progress)(const char *unit, uint64_t done, uint64_t total),
                 struct err *err) MUST_CHECK;

/* As stream_failed, of the first of those streams that lacks something. */
int spool_failed(const struct spool *spool, struct err *err);

size_t spool_count(const struct spool *spool);
uint64_t spool_size(const struct spool *spool); /* of the temporary file, in bytes.  For tests */

/* From now on samples without a mask are kept, too.  Those with one are counted first:
 * sample spool_labelled is the first without. */
void spool_take_unlabelled(struct spool *spool);
size_t spool_labelled(const struct spool *spool);

/* Samples that are added from now on are for a network that sees ranges (sample_scale). */
void spool_see_ranges(struct spool *spool);

struct spooled {
    char key[1024];
    struct array image;  /* H x W x C */
    struct array mask;   /* H x W; without data where there is none */
    double offset, gain; /* of sample_scale */
    int64_t mask_unit;   /* of tile_meta: not 0 where the mask was drawn in black and white */
    void *buffer;        /* private: what the arrays are views of */
    size_t capacity;
};

/* Reads sample i into *to, which is zero-initialised or was used before; its
 * memory is used again.  A file that was changed since is STATUS_DATA.  Any number of threads may
 * read at once, each with a struct spooled of its own. */
int spool_read(const struct spool *spool, size_t i, struct spooled *to, struct err *err) MUST_CHECK;
void spooled_free(struct spooled *spooled);

/* SHA-256 over all that was added, in hex, 64 characters and a zero: the identity
 * of the data. */
void spool_digest(const struct spool *spool, char digest[65]);

#endif
