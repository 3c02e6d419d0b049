#include "annot/rle.h"

/* One number: five bits a character from the lowest, bit 5 says that more follow,
 * the highest of the last one is the sign. */
static const char *take_number(const char *text, int64_t *number)
{
    uint64_t value = 0;
    for (int shift = 0; shift <= 35; shift += 5, text++) {
        int bits = *text - 48;
        if (bits < 0 || bits > 63)
            return NULL;
        value |= (uint64_t)(bits & 31) << shift;
        if (bits & 32)
            continue;
        if (bits & 16)
            value |= ~(uint64_t)0 << (shift + 5);
        *number = (int64_t)value;
        return text + 1;
    }
    return NULL;
}

int runs_decode(struct growing *runs, const char *text, struct err *err)
{
    size_t begin = runs->count;
    while (*text) {
        int64_t number;
        text = take_number(text, &number);
        size_t n = runs->count - begin;
        if (text && n > 2)
            number += ((const uint32_t *)runs->items)[runs->count - 2];
        if (!text || number < 0 || number > UINT32_MAX)
            return err_set(err, STATUS_DATA, "run lengths that are malformed");
        uint32_t run = (uint32_t)number;
        if (growing_add(runs, &run, err))
            return -1;
    }
    return 0;
}

size_t runs_encode(char to[RUNS_TEXT], int64_t difference)
{
    size_t n = 0;
    for (bool more = true; more;) {
        int bits = (int)(difference & 31);
        difference >>= 5;
        more = bits & 16 ? difference != -1 : difference != 0;
        to[n++] = (char)(48 + (bits | (more ? 32 : 0)));
    }
    return n;
}

/* Ends the run when `inside` changes; runs longer than 32 bits are no image's. */
int runs_of_label(struct growing *runs, const struct array *labels, const struct box *box,
                  struct err *err)
{
    const uint32_t *pixels = labels->data;
    size_t height = labels->shape[0], width = labels->shape[1], begin = 0;
    bool inside = false;
    for (size_t x = box->left; x < box->right; x++)
        for (size_t y = box->top; y <= box->bottom; y++) {
            bool now = y < box->bottom && pixels[y * width + x] == box->label;
            /* below the box the object ends, unless it fills the column */
            if (now == inside || (y == height && !now && x + 1 < box->right && box->top == 0 &&
                                  pixels[x + 1] == box->label))
                continue;
            uint32_t run = (uint32_t)(x * height + y - begin);
            if (growing_add(runs, &run, err))
                return -1;
            begin = x * height + y;
            inside = now;
        }
    uint32_t last = (uint32_t)(width * height - begin);
    return last ? growing_add(runs, &last, err) : 0;
}
