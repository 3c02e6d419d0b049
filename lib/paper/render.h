/* A comparison as text. */
#ifndef PAPER_RENDER_H
#define PAPER_RENDER_H

#include <stdio.h>

#include "paper/comparison.h"

enum render_format {
    RENDER_MARKDOWN,
    RENDER_HTML, /* a fragment: <table> and a list of notes, its text escaped */
    RENDER_TSV,  /* a line a row, plain numbers */
};

/* title and notes may be NULL; notes end with NULL.  Errors of `to` are left to
 * the caller's check. */
void render(const struct comparison *comparison, enum render_format format, const char *title,
            const char *const *notes, FILE *to);

#endif
