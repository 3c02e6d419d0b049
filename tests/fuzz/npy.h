/* Puts the lengths of an .npy right: that of its header, and a shape that needs the bytes that
 * are there. */
#ifndef TESTS_FUZZ_NPY_H
#define TESTS_FUZZ_NPY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/parts.h"

struct npy_words {
    char descr[8];
    size_t shape[8];
    int dims;
    bool fortran;
};

/* False when there is nothing like it. */
static inline bool npy_find_words(const char *text, struct npy_words *words)
{
    const char *descr = strstr(text, "descr"), *shape = strchr(text, '(');
    *words = (struct npy_words){.fortran = strstr(text, "True") != NULL};
    if (!descr || !shape || sscanf(descr + 5, "%*[': \"]%7[^'\"]", words->descr) != 1)
        return false;
    char *end;
    for (const char *at = shape + 1; words->dims < 8; at = end + (*end == ',')) {
        words->shape[words->dims] = strtoul(at, &end, 10) % 4096;
        if (end == at)
            break;
        words->dims++;
    }
    return true;
}

/* Changes the first length that can make the shape need `left` bytes, else takes one axis. */
static inline void npy_fit_shape(struct npy_words *words, size_t left)
{
    size_t element = (size_t)(words->descr[strlen(words->descr) - 1] - '0');
    if (element < 1 || element > 8 || left % element) {
        element = 1;
        strcpy(words->descr, "|u1");
    }
    for (int axis = 0; axis < words->dims; axis++) {
        size_t others = element;
        for (int i = 0; i < words->dims; i++)
            others *= i == axis ? 1 : words->shape[i];
        if (others && left % others == 0) {
            words->shape[axis] = left / others;
            return;
        }
    }
    words->dims = 1;
    words->shape[0] = left / element;
}

/* The bytes of the dictionary, at most `room`. */
static inline size_t npy_format(const struct npy_words *words, char *to, size_t room)
{
    size_t n = (size_t)snprintf(to, room, "{'descr': '%s', 'fortran_order': %s, 'shape': (",
                                words->descr, words->fortran ? "True" : "False");
    for (int i = 0; i < words->dims && n < room; i++)
        n += (size_t)snprintf(to + n, room - n, "%zu, ", words->shape[i]);
    if (n < room)
        n += (size_t)snprintf(to + n, room - n, "), }");
    return n;
}

/* The header keeps its length, which it gets from where its line ends. */
static inline void npy_fit(uint8_t *data, size_t size)
{
    char text[600], made[600];
    struct npy_words words;
    const uint8_t *line = size > 12 ? memchr(data + 10, '\n', size - 10) : NULL;
    if (!line || memcmp(data, "\x93NUMPY", 6) != 0)
        return;
    size_t begin = data[6] == 1 ? 10 : 12, end = (size_t)(line - data) + 1;
    if (end < begin || end - begin >= sizeof text)
        return;
    data[8] = (uint8_t)(end - begin);
    data[9] = (uint8_t)((end - begin) >> 8);
    if (begin == 12)
        data[10] = data[11] = 0;
    memcpy(text, data + begin, end - begin);
    text[end - begin] = 0;
    if (!npy_find_words(text, &words))
        return;
    npy_fit_shape(&words, size - end);
    size_t length = npy_format(&words, made, sizeof made);
    if (length >= end - begin)
        return;
    memset(data + begin, ' ', end - begin - 1);
    memcpy(data + begin, made, length);
}

#endif
