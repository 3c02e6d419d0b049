/* lib/stream: the tensor stream and what is kept in one: archives, samples, their places and keys,
 * splits and stores. What arrays hold is none of its business: pixels are changed in pixels, tiles
 * become images in tiles. Many files, since reading, writing, checking and describing are apart. */

/* The tensor stream, tensor-stream(5): a POSIX tar archive of samples in the
 * WebDataset convention, between a first member __stream__ and a last __end__. */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include <stdint.h>

#include "stream/sample.h"

/* ---- reading ---- */

struct stream_reader;

/* Opens a file, or standard input for "-".  The caller closes it. */
int stream_open(struct stream_reader **reader, const char *path, struct err *err) MUST_CHECK;

/* The same for reading more than once: what cannot seek is first copied to a
 * temporary file (core/io.h). */
int stream_open_seekable(struct stream_reader **reader, const char *path,
                         struct err *err) MUST_CHECK;

/* Goes back to where such a stream was opened. */
int stream_rewind(struct stream_reader *reader, struct err *err) MUST_CHECK;

/* Before the first stream_next: members shall know where in the file they end.  The
 * file's descriptor, borrowed, or -1 when it is not a regular file. */
int stream_keep_places(struct stream_reader *reader);

/* The next sample, which the caller frees: 1, or 0 at the end of a whole
 * stream, or -1.  A stream that was cut, whose counts or sums are wrong, or
 * that has anything but another stream after its end is STATUS_DATA; samples
 * already given are whole all the same. */
int stream_next(struct stream_reader *reader, struct sample *sample, struct err *err) MUST_CHECK;

void stream_close(struct stream_reader *reader);

/* Provenance records so far, valid after the first stream_next: a JSON text.
 * Borrowed. */
const char *stream_provenance(const struct stream_reader *reader);

/* Images that the programs before announced, 0 where they did not; so far, in joined streams.  May
 * be called while another thread reads. */
uint64_t stream_images(const struct stream_reader *reader);

/* After the end: 1 with a message, STATUS_SOME_FAILED, when the stream tells of sources
 * that failed before it, so that not all of what was wanted is there; else 0.  A program
 * does what it can with the rest, says so, and exits with that status. */
int stream_failed(const struct stream_reader *reader, struct err *err);

/* For messages: "standard input" or the path.  Borrowed. */
const char *stream_name(const struct stream_reader *reader);

/* ---- writing ---- */

struct stream_writer;

/* What a program says of itself in __stream__. */
struct stream_author {
    const char *program;   /* "tile" */
    const char *arguments; /* cli_command_line() */
    const char *seed;      /* decimal, NULL when nothing is random */
    const char *weights;   /* SHA-256 in hex of the weights used, NULL when none */
    uint64_t images;       /* that it will cut, so that later programs know how far they are; 0:
                              unknown */
};

/* Creates a stream at `path` ("-": standard output), which appears whole or not
 * at all (core/outfile.h), and writes __stream__: the records of `upstream` (may
 * be NULL; its first sample must have been read) and then the author's. */
int stream_create(struct stream_writer **writer, const char *path,
                  const struct stream_author *author, const struct stream_reader *upstream,
                  struct err *err) MUST_CHECK;

/* Writes a sample, which stays the caller's. */
int stream_put(struct stream_writer *writer, const struct sample *sample,
               struct err *err) MUST_CHECK;

/* Tells in __end__ that of a source only `samples` are in the stream, and why. */
int stream_note_failure(struct stream_writer *writer, const char *source, uint64_t samples,
                        const char *reason, struct err *err) MUST_CHECK;

/* After the reader's end: what its stream says that failed, the writer's will, too.  As
 * stream_failed, or -1. */
int stream_pass_failures(struct stream_writer *writer, const struct stream_reader *reader,
                         struct err *err) MUST_CHECK;

/* Writes __end__ and closes; frees the writer also when it fails. */
int stream_commit(struct stream_writer *writer, struct err *err) MUST_CHECK;

/* Ends without __end__, so that a reader sees a cut stream; frees. NULL is fine. */
void stream_abort(struct stream_writer *writer);

uint64_t stream_samples_written(const struct stream_writer *writer);

#endif
