/* A line of text for titles and scale bars: letters of strokes with round ends, at any size. */
#ifndef DRAW_LETTERS_H
#define DRAW_LETTERS_H

#include <stddef.h>

/* In units, of which a capital letter is 6 high; what is below the line takes 2 more.  Text is
 * ASCII and the micro sign; other characters are shown as '?'. */
#define LETTERS_ABOVE 6
#define LETTERS_BELOW 2

/* The width in units. */
double letters_width(const char *text);

/* How much of each pixel of a row is covered, 0 to 1, added to `ink` where it is more than what is
 * there.  The text begins at `left`; y: the row's middle below the top of its capitals; all in
 * pixels, `unit` pixels a unit.  wider: pixels that are added around all strokes. */
void letters_row(const char *text, double unit, double left, double y, double wider, size_t width,
                 float *ink);

#endif
