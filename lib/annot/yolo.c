/* YOLO: a text an image, a line an object: the number of its class and its outline, in shares of
 * the image's width and height.  Lines with a box alone, as for detection, have no outline. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "annot/file.h"

#define MAX_NUMBER 40 /* characters */
#define MAX_CLASS  1e9

/* The next number of the line; false at its end, and for what is no number: then at[0] is no end
 * of a line. */
static bool take_number(struct scan *line, double *number)
{
    char text[MAX_NUMBER], *end;
    size_t n = 0;
    while (line->at < line->end && (*line->at == ' ' || *line->at == '\t' || *line->at == '\r'))
        line->at++;
    const char *at = line->at;
    while (at + n < line->end && !isspace((unsigned char)at[n]) && n + 1 < sizeof text) {
        text[n] = at[n];
        n++;
    }
    text[n] = '\0';
    *number = strtod(text, &end);
    if (n == 0 || end != text + n || !(isdigit((unsigned char)end[-1]) || end[-1] == '.'))
        return false;
    line->at += n;
    return true;
}

/* Whether there is another line, which begins with `class`. */
static bool take_class(struct scan *scan, double *class)
{
    while (scan->at < scan->end && isspace((unsigned char)*scan->at))
        scan->at++;
    return take_number(scan, class);
}

static bool at_end_of_line(const struct scan *scan)
{
    return scan->at == scan->end || *scan->at == '\n';
}

/* Whether all lines are numbers, the first of each whole, the others in the image or near it. */
static bool is_yolo(const struct annot_file *file)
{
    struct scan scan = file->root;
    double class, number;
    size_t lines = 0;
    for (; take_class(&scan, &class); lines++) {
        size_t n = 0;
        for (; take_number(&scan, &number); n++)
            if (!(number >= -1 && number <= 2))
                return false;
        if (!at_end_of_line(&scan) || n < 4 || !(class >= 0 && class <= MAX_CLASS) ||
            class != (double)(int)class)
            return false;
    }
    const char *dot = strrchr(file->path, '.');
    return scan.at == scan.end && (lines || (dot && strcasecmp(dot, ".txt") == 0));
}

/* After the class: pairs, and, of predictions, how sure they are. */
static int read_line(struct scan *scan, const struct annot_file *file, struct build *build,
                     struct err *err)
{
    double x, y;
    size_t numbers = 0;
    for (struct scan copy = *scan; take_number(&copy, &x);)
        numbers++;
    if (numbers < 6) {
        build->no_area = true;
        return err_set(err, STATUS_DATA, "a box without an outline");
    }
    if (build_piece(build, err) || build_ring(build, err))
        return -1;
    for (size_t i = 0; i < numbers / 2; i++)
        if (!take_number(scan, &x) || !take_number(scan, &y) ||
            build_point(build, x * (double)file->paint_width, y * (double)file->paint_height, err))
            return -1;
    return 0;
}

static int read_yolo_file(struct annot_file *file, size_t image, annot_take *take, void *user,
                          struct err *err)
{
    struct build build = build_new();
    struct scan scan = file->root;
    double class;
    (void)image;
    int result = file->paint_width > 0
                     ? 0
                     : err_set(err, STATUS_USAGE, "the size of its image is not known");
    for (size_t number = 1; result == 0 && take_class(&scan, &class); number++) {
        build_reset(&build);
        snprintf(build.class_name, BUILD_NAME, "%.0f", class);
        struct scan line = scan;
        result = file_give(file, &build, read_line(&line, file, &build, err), "line", number, take,
                           user, err);
        const char *next = memchr(scan.at, '\n', (size_t)(scan.end - scan.at));
        scan.at = next ? next : scan.end;
    }
    build_free(&build);
    return result;
}

const struct annot_reader read_yolo = {is_yolo, NULL, read_yolo_file};
