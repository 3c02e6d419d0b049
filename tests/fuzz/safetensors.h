/* A safetensors file as two parts, its header and its data: the length of the header is put
 * right, and there are as many bytes of data as the largest offset says. */
#ifndef TESTS_FUZZ_SAFETENSORS_H
#define TESTS_FUZZ_SAFETENSORS_H

#include "tests/fuzz/parts.h"

static inline void safetensors_take(struct parts *parts, const uint8_t *bytes, size_t size)
{
    size_t length = size > 8 ? (size_t)parts_number(bytes, 8) : 0;
    if (size <= 8 || bytes[8] != '{')
        return;
    if (length > size - 8)
        length = size - 8;
    (void)(parts_add(parts, "", 0, bytes + 8, length) &&
           parts_add(parts, "", 0, bytes + 8 + length, size - 8 - length));
}

/* The largest number after a comma in a list, which offsets end with. */
static inline size_t safetensors_end(const uint8_t *text, size_t size)
{
    size_t largest = 0;
    for (size_t i = 0, number = 0; i < size; i++) {
        if (text[i] == ',' || text[i] == ' ')
            number = 0;
        else if (text[i] >= '0' && text[i] <= '9')
            number = (number * 10 + (size_t)(text[i] - '0')) % 100000000;
        else if (text[i] == ']' && i + 1 < size && text[i + 1] == '}' && number > largest)
            largest = number;
    }
    return largest;
}

static inline void safetensors_put(struct parts *parts, struct parts_out *out)
{
    const struct part *head = &parts->part[0];
    const struct part *data = parts->count > 1 ? &parts->part[1] : head;
    size_t end = safetensors_end(head->data, head->size);
    parts_put_number(out, head->size, 8);
    parts_put(out, head->data, head->size);
    parts_put(out, data->data, data->size < end ? data->size : end);
    for (size_t i = data->size; i < end && i < 4096; i++)
        parts_put(out, "", 1);
}

static const struct parts_kind safetensors_kind = {safetensors_take, safetensors_put};

#endif
