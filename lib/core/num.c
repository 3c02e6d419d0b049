#include "core/num.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

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
