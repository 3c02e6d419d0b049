#include "core/num.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool starts_like_number(const char *text)
{
    return isdigit((unsigned char)*text) || *text == '-' || *text == '+' || *text == '.';
}

int num_int(const char *text, int64_t min, int64_t max, int64_t *out, struct err *err)
{
    char *end = NULL;
    errno = 0;
    long long value = starts_like_number(text) ? strtoll(text, &end, 10) : 0;
    if (!end || end == text || *end)
        return err_set(err, STATUS_USAGE, "'%s' is not a whole number", text);
    if (errno || value < min || value > max)
        return err_set(err, STATUS_USAGE, "'%s' is not between %" PRId64 " and %" PRId64, text, min,
                       max);
    *out = value;
    return 0;
}

int num_real(const char *text, double min, double max, double *out, struct err *err)
{
    char *end = NULL;
    errno = 0;
    double value = starts_like_number(text) ? strtod(text, &end) : 0;
    if (!end || end == text || *end || !isfinite(value))
        return err_set(err, STATUS_USAGE, "'%s' is not a number", text);
    if (value < min || value > max)
        return err_set(err, STATUS_USAGE, "'%s' is not between %g and %g", text, min, max);
    *out = value;
    return 0;
}

/* ---- printing ---- */

#define DIGITS 8

/* Digits of a whole number below 10^8, without trailing zeros; returns how many are left. */
static int significant(uint32_t number, char digits[DIGITS])
{
    for (int i = DIGITS; i-- > 0; number /= 10)
        digits[i] = (char)('0' + number % 10);
    int count = DIGITS;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return count;
}

/* `digits` with the point after the first 1 + exponent of them. */
static size_t place_point(char *to, const char *digits, int count, int exponent)
{
    char *p = to;
    if (exponent < 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = -1; i > exponent; i--)
            *p++ = '0';
    }
    int before = exponent < 0 ? 0 : exponent + 1;
    for (int i = 0; i < before || i < count; i++) {
        if (i == before && exponent >= 0)
            *p++ = '.';
        *p++ = i < count ? digits[i] : '0';
    }
    *p = '\0';
    return (size_t)(p - to);
}

/* The value's eight digits as a whole number, when rounding cannot be in doubt: a
 * product or a quotient with an exact power of ten is off by less than 1e-7. */
static bool eight_digits(double value, int *exponent, uint32_t *number)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11};
    int e = 7;
    while (e > -4 && value < (e > 0 ? powers[e] : 1 / powers[-e]))
        e--;
    double scaled = value * powers[7 - e], whole = floor(scaled), rest = scaled - whole;
    if (scaled < 1e7 || scaled >= 99999999.5 || fabs(rest - 0.5) < 1e-6)
        return false;
    *exponent = e;
    *number = (uint32_t)whole + (rest > 0.5);
    return true;
}

static size_t put_word(char *to, const char *word)
{
    size_t length = strlen(word);
    memcpy(to, word, length + 1);
    return length;
}

size_t num_print(char to[NUM_PRINT_SIZE], double value)
{
    char digits[DIGITS];
    int exponent;
    uint32_t number;
    double size = fabs(value);
    if (isnan(value) || (value == 0 && !signbit(value)))
        return put_word(to, isnan(value) ? "nan" : "0");
    if (size < 1e-4 || size >= 1e8 || !eight_digits(size, &exponent, &number))
        return (size_t)snprintf(to, NUM_PRINT_SIZE, "%.8g", value);
    *to = '-';
    bool minus = value < 0;
    return minus + place_point(to + minus, digits, significant(number, digits), exponent);
}

int num_compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

int num_compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
