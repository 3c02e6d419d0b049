/* What the targets share: a fuzzer's input as an unlinked file, for libraries that open paths,
 * and the mutators' names. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUZZ_MAX_SIZE 65536 /* bytes of an input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned random);

/* Inputs are changed as the parts of such a file, by tests/fuzz/parts.h. */
#define FUZZ_PARTS(kind)                                                                           \
    size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned random)   \
    {                                                                                              \
        return parts_mutate(kind, data, size, max_size, random);                                   \
    }

/* The path of a file with those bytes; the same path, a new file, at each call. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
    static char path[40];
    static FILE *file;
    if (!file && !(file = tmpfile()))
        abort();
    int fd = fileno(file);
    if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

#endif
