/* Whole files, for tests of their readers. */
#ifndef TESTS_FILES_H
#define TESTS_FILES_H

#include <stdio.h>
#include <stdlib.h>

/* Ends the test when it cannot. */
static inline void put_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
        exit(1);
}

/* How many bytes there are, at most `room`; 0 when there is no file. */
static inline size_t get_file(const char *path, void *to, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(to, 1, room, file) : 0;
    if (file)
        fclose(file);
    return size;
}

#endif
