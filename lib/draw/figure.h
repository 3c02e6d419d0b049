/* A figure: titles, under them panels of the same image side by side, with what was found and
 * what is true drawn over them and a scale bar, and under them insets, parts of the image
 * enlarged.  Made row by row; only the insets are held, at the image's own resolution. */
#ifndef DRAW_FIGURE_H
#define DRAW_FIGURE_H

#include "core/err.h"
#include "draw/draw.h"

#define FIGURE_MAX_PANELS 4
#define FIGURE_MAX_INSETS 6

enum panel { PANEL_IMAGE, PANEL_TRUTH, PANEL_PREDICTION, PANEL_ERRORS };

struct inset {
    size_t x, y, width, height; /* in pixels of the image */
    uint8_t *rgb;               /* height x width x 3 */
    uint32_t *prediction, *truth;
};

struct figure {
    /* set by the caller */
    size_t width, height;           /* of a panel */
    size_t full_width, full_height; /* of the image; 0: the panel's */
    size_t factor;                  /* by which the image was shrunk to the panel; 0: 1 */
    const char *titles[FIGURE_MAX_PANELS];
    int title_count;
    double bar; /* length of the scale bar in the panel's pixels; 0: none */
    char bar_text[32];
    enum panel panels[FIGURE_MAX_PANELS];
    int panel_count;
    struct draw_style style;  /* line at most DRAW_MAX_LINE */
    bool compare_by_outlines; /* of PANEL_ERRORS: two outlines rather than a map */
    double error_opacity;
    struct inset insets[FIGURE_MAX_INSETS];
    int inset_count;
    /* set by figure_start */
    size_t gap;                       /* white, between panels and insets */
    size_t head;                      /* height of the titles above the panels */
    size_t total_width, total_height; /* of the figure */
    double unit;                      /* of letters, in pixels */
    float *ink;                       /* of a row of letters */
    size_t inset_width, inset_height; /* as displayed; the height of the highest */
    size_t frame;                     /* width of an inset's frame */
    uint8_t *on;
    uint8_t *zoomed_rgb;
    uint32_t *zoomed_rows; /* 2 x (2 line + 1) rows */
};

/* Rows of the image, not shrunk, from its row y on, for the insets: of its picture, of what was
 * found, and of what is true. */
void figure_keep_rgb(struct figure *figure, size_t y, size_t rows, const uint8_t *rgb);
void figure_keep_labels(struct figure *figure, size_t y, size_t rows, const uint32_t *labels,
                        bool truth);

/* Row y of the titles, from 0 to head, to total_width x 3 bytes. */
void figure_titles(struct figure *figure, size_t y, uint8_t *to);

/* A row of the panel: its picture, and 2 style.line + 1 rows of labels around it. */
struct figure_row {
    const uint8_t *rgb;
    const uint32_t *const *prediction, *const *truth; /* truth may be NULL */
};

/* Lays the figure out.  Insets outside the image are STATUS_USAGE.  The caller
 * ends it with figure_free. */
int figure_start(struct figure *figure, struct err *err) MUST_CHECK;
void figure_free(struct figure *figure);

/* Row y of the panels. */
void figure_panels(struct figure *figure, size_t y, const struct figure_row *row, uint8_t *to);

/* Row y of the strip under the panels, from 0 to total_height - head - height. */
void figure_insets(struct figure *figure, size_t y, uint8_t *to);

#endif
