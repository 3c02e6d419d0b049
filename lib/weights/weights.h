/* lib/weights: files of named parameters, their metadata and checksums. No libtorch, and no
 * network: what the names mean is known in model. */

/* Named parameter tensors in files: safetensors in and out, PyTorch checkpoints
 * (.pth/.pt, zip and legacy), NumPy .npz and .npy that hold a dictionary in.  Readers of
 * our own: nothing in a file is executed, every size is checked against the bytes that
 * are there. */
#ifndef WEIGHTS_WEIGHTS_H
#define WEIGHTS_WEIGHTS_H

#include <stddef.h>

#include "core/array.h"
#include "core/filemap.h"

struct weight {
    char *name;
    struct array array; /* C order; a view of the file's mapping where that is possible */
};

/* What a file holds, in the file's order. */
struct weights {
    struct weight *items;
    size_t count;
    struct weights_metadata {
        char *key, *value; /* __metadata__ of safetensors */
    } * metadata;
    size_t metadata_count;
    char sha256[65];    /* of the file's bytes, in hex; "" until weights_hash */
    const char *format; /* "safetensors", "pth", "npz", "npy" */
    struct filemap file;
};

/* Reads a file ("-" is standard input), its format recognized by its first
 * bytes.  Zero-initialize or not: *weights is overwritten.  The caller frees it.
 * Arrays may be changed in place; the file stays as it is.
 *
 * A PyTorch checkpoint is a dictionary; the value of "state_dict", "model_state_dict",
 * "model", "net", "network_weights" and their like is taken when there is one, deeper
 * dictionaries and lists give names joined by dots, whatever is no tensor is left out, and
 * what wrappers put before every name ("module.", "_orig_mod.", "model.", "net.",
 * "network_weights.") is removed.  STATUS_DATA for anything malformed, and for names by
 * which Python would act (weights/pickle_globals.h). */
int weights_read(struct weights *weights, const char *path, struct err *err) MUST_CHECK;

/* SHA-256 (FIPS 180-4) of the file's bytes into weights->sha256. */
int weights_hash(struct weights *weights, const char *path, struct err *err) MUST_CHECK;
void weights_free(struct weights *weights);

/* Takes `prefix` off the names that begin with it and have more; how many did. */
size_t weights_strip(struct weights *weights, const char *prefix);

/* NULL when it is not there.  Borrowed. */
const struct array *weights_find(const struct weights *weights, const char *name);
const char *weights_metadata(const struct weights *weights, const char *key);

/* Writes safetensors, whole or not at all.  Only items and metadata are used.
 * Larger element types come first, so that every array is aligned. */
int weights_write(const struct weights *weights, const char *path, struct err *err) MUST_CHECK;

/* Building one to write, from a zero-initialized struct: both copy what they are
 * given.  A second array of the same name is refused; metadata is replaced. */
int weights_add(struct weights *weights, const char *name, const struct array *array,
                struct err *err) MUST_CHECK;
int weights_set_metadata(struct weights *weights, const char *key, const char *value,
                         struct err *err) MUST_CHECK;

#endif
