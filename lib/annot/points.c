#include "annot/points.h"

static int read_point(struct scan *scan, struct build *build, struct err *err)
{
    double at[2] = {0};
    bool first = true;
    int more, n = 0;
    for (; (more = scan_item(scan, &first, err)) > 0; n++)
        if (n < 2 ? scan_number(scan, &at[n], err) : scan_skip(scan, err))
            return -1;
    if (more < 0)
        return -1;
    return n < 2 ? scan_wrong(scan, "a point without two numbers", err)
                 : build_point(build, at[0], at[1], err);
}

int points_of_pairs(struct scan *scan, struct build *build, struct err *err)
{
    bool first = true;
    int more;
    if (build_ring(build, err))
        return -1;
    while ((more = scan_item(scan, &first, err)) > 0)
        if (read_point(scan, build, err))
            return -1;
    return more;
}

int points_of_numbers(struct scan *scan, struct build *build, struct err *err)
{
    bool first = true;
    int more;
    if (build_ring(build, err))
        return -1;
    while ((more = scan_item(scan, &first, err)) > 0) {
        double x, y;
        if (scan_number(scan, &x, err))
            return -1;
        if ((more = scan_item(scan, &first, err)) == 0)
            return scan_wrong(scan, "a polygon with half a point", err);
        if (more < 0 || scan_number(scan, &y, err) || build_point(build, x, y, err))
            return -1;
    }
    return more;
}
