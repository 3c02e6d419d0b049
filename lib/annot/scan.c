#include "annot/scan.h"

#include <math.h>
#include <string.h>

#include "annot/utf16.h"
#include "core/num.h"

int scan_wrong(const struct scan *scan, const char *what, struct err *err)
{
    return err_set(err, STATUS_DATA, "%s at byte %zu", what, (size_t)(scan->at - scan->begin));
}

static int broken(const struct scan *scan, struct err *err)
{
    return scan_wrong(scan, scan->at == scan->end ? "broken JSON: cut" : "broken JSON", err);
}

char scan_peek(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
    return scan->at < scan->end ? *scan->at : 0;
}

static bool take(struct scan *scan, char c)
{
    if (scan_peek(scan) != c || scan->at == scan->end)
        return false;
    scan->at++;
    return true;
}

int scan_end(struct scan *scan, struct err *err)
{
    scan_peek(scan);
    return scan->at == scan->end ? 0 : scan_wrong(scan, "broken JSON: more than one value", err);
}

static int open_bracket(struct scan *scan, char bracket, struct err *err)
{
    if (take(scan, bracket))
        return 0;
    if (!scan_peek(scan))
        return broken(scan, err);
    return scan_wrong(scan, bracket == '{' ? "an object is missing" : "a list is missing", err);
}

/* After the bracket. */
static int next_item(struct scan *scan, bool first, struct err *err)
{
    if (take(scan, ']')) /* [1,] is caught below */
        return 0;
    if (!first && !take(scan, ','))
        return broken(scan, err);
    return scan_peek(scan) == ']' ? broken(scan, err) : 1;
}

static int next_key(struct scan *scan, bool first, char *key, size_t room, struct err *err)
{
    if (take(scan, '}'))
        return 0;
    if (!first && !take(scan, ','))
        return broken(scan, err);
    if (scan_peek(scan) != '"')
        return broken(scan, err);
    if (scan_string(scan, key, room, err))
        return -1;
    return take(scan, ':') ? 1 : broken(scan, err);
}

int scan_item(struct scan *scan, bool *first, struct err *err)
{
    bool begins = *first;
    *first = false;
    return begins && open_bracket(scan, '[', err) ? -1 : next_item(scan, begins, err);
}

int scan_key(struct scan *scan, bool *first, char *key, size_t room, struct err *err)
{
    bool begins = *first;
    *first = false;
    return begins && open_bracket(scan, '{', err) ? -1 : next_key(scan, begins, key, room, err);
}

struct scan_walk scan_walk(struct scan scan)
{
    return (struct scan_walk){.scan = scan, .first = true, .is_list = scan_peek(&scan) == '['};
}

int scan_next(struct scan_walk *walk, struct err *err)
{
    return walk->is_list ? scan_item(&walk->scan, &walk->first, err)
                         : scan_key(&walk->scan, &walk->first, NULL, 0, err);
}

/* ---- strings ---- */

struct text {
    char *to;
    size_t used, room;
};

static void put(struct text *text, unsigned byte)
{
    if (text->to && text->used + 1 < text->room)
        text->to[text->used++] = (char)byte;
}

static void put_utf8(struct text *text, unsigned code)
{
    char bytes[4];
    int n = utf8_encode(bytes, code);
    for (int i = 0; i < n; i++)
        put(text, (unsigned char)bytes[i]);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool take_hex4(struct scan *scan, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        int digit = scan->at < scan->end ? hex_digit(*scan->at) : -1;
        if (digit < 0)
            return false;
        *code = *code << 4 | (unsigned)digit;
    }
    return true;
}

/* After "\u"; two halves of a surrogate pair make one character. */
static bool take_unicode(struct scan *scan, struct text *text)
{
    unsigned code, low;
    if (!take_hex4(scan, &code))
        return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (scan->end - scan->at < 6 || scan->at[0] != '\\' || scan->at[1] != 'u')
            return false;
        scan->at += 2;
        if (!take_hex4(scan, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(text, code);
    return true;
}

static bool take_escape(struct scan *scan, struct text *text)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (scan->at == scan->end)
        return false;
    char c = *scan->at++;
    if (c == 'u')
        return take_unicode(scan, text);
    const char *name = c ? strchr(names, c) : NULL;
    if (name)
        put(text, (unsigned char)values[name - names]);
    return name != NULL;
}

int scan_string(struct scan *scan, char *to, size_t room, struct err *err)
{
    struct text text = {to, 0, room};
    if (scan_peek(scan) != '"')
        return scan_wrong(scan, "a text is missing", err);
    for (scan->at++; scan->at < scan->end && *scan->at != '"';) {
        unsigned char c = (unsigned char)*scan->at++;
        if (c < ' ' || (c == '\\' && !take_escape(scan, &text)))
            return broken(scan, err);
        if (c != '\\')
            put(&text, c);
    }
    if (to)
        to[text.used] = 0;
    return take(scan, '"') ? 0 : broken(scan, err);
}

/* ---- numbers ---- */

struct decimal {
    uint64_t digits; /* without point and leading zeros, the first 19 */
    int significant, exponent;
    bool negative;
};

static bool is_digit(const struct scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static void take_digits(struct scan *scan, struct decimal *d, int shift)
{
    for (; is_digit(scan); scan->at++) {
        bool counts = d->significant || *scan->at != '0';
        if (counts && ++d->significant > 19) {
            d->exponent += shift ? 0 : 1;
            continue;
        }
        d->digits = d->digits * 10 + (uint64_t)(*scan->at - '0');
        d->exponent -= shift;
    }
}

static bool take_exponent(struct scan *scan, struct decimal *d)
{
    int exponent = 0;
    scan->at++;
    bool negative = scan->at < scan->end && *scan->at == '-';
    if (scan->at < scan->end && (*scan->at == '-' || *scan->at == '+'))
        scan->at++;
    if (!is_digit(scan))
        return false;
    for (; is_digit(scan); scan->at++)
        exponent = exponent < 100000 ? exponent * 10 + (*scan->at - '0') : exponent;
    d->exponent += negative ? -exponent : exponent;
    return true;
}

/* The grammar of a number; its value in d. */
static bool take_decimal(struct scan *scan, struct decimal *d)
{
    scan_peek(scan);
    d->negative = scan->at < scan->end && *scan->at == '-';
    scan->at += d->negative;
    bool zero = scan->at < scan->end && *scan->at == '0';
    if (!is_digit(scan))
        return false;
    const char *begin = scan->at;
    take_digits(scan, d, 0);
    if (zero && scan->at - begin > 1)
        return false;
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (!is_digit(scan))
            return false;
        take_digits(scan, d, 1);
    }
    if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E'))
        return take_exponent(scan, d);
    return true;
}

/* Exact where digits and power are (Clinger 1990), else by the C library. */
static bool value_of(const struct decimal *d, const char *text, size_t length, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct err err;
    char copy[400];
    if (d->digits < (uint64_t)1 << 53 && d->significant <= 19 && d->exponent >= -22 &&
        d->exponent <= 22) {
        double digits = (double)d->digits;
        *value = d->exponent < 0 ? digits / powers[-d->exponent] : digits * powers[d->exponent];
        *value = d->negative ? -*value : *value;
        return true;
    }
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = 0;
    return num_real(copy, -1e300, 1e300, value, &err) == 0;
}

/* NaN, Infinity, -Infinity. */
static bool take_not_finite(struct scan *scan, double *value)
{
    static const struct {
        const char *name;
        double value;
    } words[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    scan_peek(scan);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i].name);
        if ((size_t)(scan->end - scan->at) >= n && memcmp(scan->at, words[i].name, n) == 0) {
            scan->at += n;
            *value = words[i].value;
            return true;
        }
    }
    return false;
}

int scan_number(struct scan *scan, double *number, struct err *err)
{
    struct decimal d = {0};
    if (take_not_finite(scan, number))
        return 0;
    char c = scan_peek(scan);
    const char *begin = scan->at;
    if (c != '-' && !(c >= '0' && c <= '9'))
        return scan_wrong(scan, "a number is missing", err);
    if (!take_decimal(scan, &d))
        return broken(scan, err);
    if (!value_of(&d, begin, (size_t)(scan->at - begin), number))
        return scan_wrong(scan, "a number that is too long or too large", err);
    return 0;
}

int scan_integer(struct scan *scan, int64_t *number, struct err *err)
{
    double value;
    if (scan_number(scan, &value, err))
        return -1;
    if (value != floor(value) || !(fabs(value) <= 9007199254740992.0))
        return scan_wrong(scan, "a number that is not whole", err);
    *number = (int64_t)value;
    return 0;
}

/* Also of a text, as some programs write sizes. */
int scan_count(struct scan *scan, int64_t *number, struct err *err)
{
    char c = scan_peek(scan), text[24] = "";
    struct scan copy = *scan;
    struct err unused;
    double value = -1;
    *number = -1;
    if (c >= '0' && c <= '9' && scan_number(&copy, &value, err))
        return -1;
    if (value >= 0 && value <= 9007199254740992.0)
        *number = (int64_t)value;
    if (c != '"')
        return scan_skip(scan, err);
    if (scan_string(scan, text, sizeof text, err))
        return -1;
    if (num_int(text, 0, INT32_MAX, number, &unused))
        *number = -1;
    return 0;
}

int scan_word(struct scan *scan, char *to, size_t room, struct err *err)
{
    char c = scan_peek(scan);
    const char *begin = scan->at;
    if (c == '"')
        return scan_string(scan, to, room, err);
    *to = 0;
    if (scan_skip(scan, err))
        return -1;
    size_t n = (size_t)(scan->at - begin);
    if ((c == '-' || (c >= '0' && c <= '9')) && n < room) {
        memcpy(to, begin, n);
        to[n] = 0;
        char *point = strstr(to, ".0"); /* 7.0 is 7 */
        if (point && point[2 + strspn(point + 2, "0")] == 0)
            *point = 0;
    }
    return 0;
}

/* ---- any value ---- */

static int skip_word(struct scan *scan, struct err *err)
{
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(scan->end - scan->at) >= n && memcmp(scan->at, words[i], n) == 0) {
            scan->at += n;
            return 0;
        }
    }
    return broken(scan, err);
}

static int skip_plain(struct scan *scan, struct err *err)
{
    struct decimal d = {0};
    double value;
    char c = scan_peek(scan);
    if (c == '"')
        return scan_string(scan, NULL, 0, err);
    if (take_not_finite(scan, &value))
        return 0;
    if (c == '-' || (c >= '0' && c <= '9'))
        return take_decimal(scan, &d) ? 0 : broken(scan, err);
    return skip_word(scan, err);
}

int scan_skip(struct scan *scan, struct err *err)
{
    char open[SCAN_DEPTH];
    bool first = true;
    int depth = 0;
    do {
        int more = depth == 0               ? 1
                   : open[depth - 1] == '{' ? next_key(scan, first, NULL, 0, err)
                                            : next_item(scan, first, err);
        first = false;
        if (more < 0)
            return -1;
        if (more == 0) {
            depth--;
            continue;
        }
        char c = scan_peek(scan);
        if (c == '{' || c == '[') {
            if (depth == SCAN_DEPTH)
                return scan_wrong(scan, "JSON that is too deep", err);
            scan->at++;
            open[depth++] = c;
            first = true;
        } else if (skip_plain(scan, err)) {
            return -1;
        }
    } while (depth);
    return 0;
}
