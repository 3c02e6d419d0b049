#include "annot/utf16.h"

#include <stdbool.h>
#include <stdlib.h>

int utf8_encode(char to[4], unsigned code)
{
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int i = n - 1; i > 0; i--, code >>= 6)
        to[i] = (char)(0x80 | (code & 63));
    to[0] = (char)(marks[n == 1 ? 0 : n] | code);
    return n;
}

static unsigned unit(const unsigned char *p, bool big)
{
    return big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

/* Whether it is UTF-16, and big-endian: by its mark, or, of JSON, by the zero beside the first
 * character. */
static bool is_utf16(const unsigned char *p, size_t size, bool *big)
{
    if (size < 2)
        return false;
    *big = p[0] == 0xfe || p[0] == 0;
    bool marked = p[0] + p[1] == 0xff + 0xfe && p[0] >= 0xfe;
    return marked ||
           (size % 2 == 0 && !p[0] != !p[1] && (p[0] + p[1] == '{' || p[0] + p[1] == '['));
}

int utf16_decode(const void *bytes, size_t size, char **text, size_t *text_size, struct err *err)
{
    const unsigned char *p = bytes, *end = p + size;
    bool big;
    *text = NULL;
    if (!is_utf16(p, size, &big))
        return 0;
    p += p[0] >= 0xfe || p[1] >= 0xfe ? 2 : 0;
    char *to = malloc(size / 2 * 3);
    if (!to)
        return err_memory(err, "annotations");
    size_t used = 0;
    for (; end - p >= 2; p += 2) {
        unsigned code = unit(p, big);
        if (code >= 0xd800 && code < 0xdc00 && end - p >= 4 &&
            (unit(p + 2, big) & 0xfc00) == 0xdc00) {
            code = 0x10000 + ((code - 0xd800) << 10) + (unit(p + 2, big) - 0xdc00);
            p += 2;
        }
        used += (size_t)utf8_encode(to + used, code);
    }
    if (p != end) {
        free(to);
        return err_set(err, STATUS_DATA, "half a character of UTF-16");
    }
    *text = to;
    *text_size = used;
    return 0;
}
