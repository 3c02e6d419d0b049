/* A figure: panels of the same image side by side, with what was found and what
 * is true drawn over them, and under them insets, parts of the image enlarged.
 * Made row by row; only the insets are held. */
#ifndef DRAW_FIGURE_H
#define DRAW_FIGURE_H

#include "core/err.h"
#include "draw/draw.h"

#define FIGURE_MAX_PANELS 4
#define FIGURE_MAX_INSETS 6

enum panel { PANEL_IMAGE, PANEL_TRUTH, PANEL_PREDICTION, PANEL_ERRORS };

struct inset {
    size_t x, y, width, height; /* in pixels of the panel */
    uint8_t *rgb;               /* height x width x 3 */
    uint32_t *prediction, *truth;
};

struct figure {
    /* set by the caller */
    size_t width, height; /* of a panel */
    enum panel panels[FIGURE_MAX_PANELS];
    int panel_count;
    struct draw_style style;  /* line at most DRAW_MAX_LINE */
    bool compare_by_outlines; /* of PANEL_ERRORS: two outlines rather than a map */
    double error_opacity;
    struct inset insets[FIGURE_MAX_INSETS];
    int inset_count;
    /* set by figure_start */
    size_t gap;                       /* white, between panels and insets */
    size_t total_width, total_height; /* of the figure */
    size_t inset_width, inset_height; /* as displayed; the height of the highest */
    size_t frame;                     /* width of an inset's frame */
    uint8_t *on;
    uint8_t *zoomed_rgb;
    uint32_t *zoomed_rows; /* 2 x (2 line + 1) rows */
};

/* A row of the panel: its picture, and 2 style.line + 1 rows of labels around it. */
struct figure_row {
    const uint8_t *rgb;
    const uint32_t *const *prediction, *const *truth; /* truth may be NULL */
};

/* Lays the figure out.  Insets outside the image are STATUS_USAGE.  The caller
 * ends it with figure_free. */
int figure_start(struct figure *figure, struct err *err) MUST_CHECK;
void figure_free(struct figure *figure);

/* Row y of the panels, to total_width x 3 bytes; keeps what insets need. */
void figure_panels(struct figure *figure, size_t y, const struct figure_row *row, uint8_t *to);

/* Row y of the strip under the panels, from 0 to total_height - height. */
void figure_insets(struct figure *figure, size_t y, uint8_t *to);

#endif
