/* What the targets share: a fuzzer's input as an unlinked file, for libraries that open paths,
 * and the mutators' names. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031 /* Linux; fcntl.h has it for GNU alone */
#endif

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

/* A pipe with room for what a small input becomes, and paths of its ends: what is written can be
 * read again without a second thread. */
struct fuzz_pipe {
    int ends[2];
    char from[40], to[40];
};

static inline void fuzz_pipe_open(struct fuzz_pipe *p)
{
    if (pipe(p->ends) || fcntl(p->ends[1], F_SETPIPE_SZ, 1 << 20) < 0)
        abort();
    snprintf(p->from, sizeof p->from, "/proc/self/fd/%d", p->ends[0]);
    snprintf(p->to, sizeof p->to, "/proc/self/fd/%d", p->ends[1]);
}

#endif
