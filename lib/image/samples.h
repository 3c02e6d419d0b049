/* Private to lib/image: samples as TIFF packs them, to samples as image.h delivers them. */
#ifndef IMAGE_SAMPLES_H
#define IMAGE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sample_kind { SAMPLE_UNSIGNED, SAMPLE_SIGNED, SAMPLE_FLOAT };

struct sample_format {
    int bits; /* 1 to 16, 32 or 64; float 16, 32 or 64 */
    enum sample_kind kind;
    bool inverted; /* 0 is white: unsigned integers only */
    bool scaled;   /* 1 to 7 bits are scaled to 0..255 */
    bool as_float; /* integers are delivered as float, rounded over 24 bits */
};

/* Bits that such samples are delivered with: 8, 16 or 32. */
int samples_delivered_bits(const struct sample_format *format);

/* Whether delivering is copying. */
bool samples_are_plain(const struct sample_format *format);

/* Unpacks `count` samples, whole bytes in the machine's order, other widths as
 * a bit string, highest bit first.  False when a value does not fit.  Integers with a
 * sign that are not delivered as float are labels: -1 becomes 0 and is counted in
 * *voids, another negative value does not fit. */
bool samples_unpack(const struct sample_format *format, const uint8_t *from, size_t count, void *to,
                    uint64_t *voids);

/* Puts samples of one channel, of `bytes` each, into every `channels`-th place. */
void samples_interleave(const void *from, size_t count, size_t bytes, int channels, int channel,
                        void *to);

/* `count` pixels of cyan, magenta, yellow and black of 8 or 16 bits, 0 no ink (or, inverted,
 * all ink), to RGB without a color profile; `to` may be `from`. */
void samples_cmyk(const void *from, size_t count, int bits, bool inverted, void *to);

/* Reverses the bytes of each sample of 2, 4 or 8 bytes. */
void samples_swap(void *samples, size_t count, size_t bytes);

/* TIFF's horizontal predictor (TIFF 6.0, section 14): each sample of a row but
 * the first pixel's becomes its difference from the same channel of the pixel
 * before.  In place; samples of 1 or 2 bytes. */
void samples_difference(void *row, size_t size, int channels, int bytes);

#endif
