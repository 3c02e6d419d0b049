/* A figure of an image and its masks, from files to a file. */
#ifndef DRAW_FIGURE_FILE_H
#define DRAW_FIGURE_FILE_H

#include "draw/layer.h"

#define FIGURE_NO_BAR   (-1.0)
#define FIGURE_AUTO_BAR 0.0

struct figure_options {
    enum panel panels[FIGURE_MAX_PANELS];
    int panel_count;
    const char *titles[FIGURE_MAX_PANELS]; /* of panels; fewer leave the others without */
    int title_count;
    struct draw_style style;  /* line -1: by the size */
    bool compare_by_outlines; /* see struct figure */
    double error_opacity;
    int64_t insets[FIGURE_MAX_INSETS][4]; /* x, y, width, height, in pixels of the image */
    int inset_count;
    double bar;           /* length of the scale bar in micrometers, or one of those above */
    double pixel_size[2]; /* height, width; 0: the image's */
    struct layer_options layers;
    void (*progress)(const char *unit, uint64_t done, uint64_t total); /* or NULL */
};

/* Paths; truth may be NULL where no panel needs it.  A scale bar of an image without a pixel size
 * is STATUS_DATA. */
struct figure_files {
    const char *image, *mask, *truth, *output;
};

/* Whole or not at all; the output's name tells its format. */
int figure_write(const struct figure_files *files, const struct figure_options *options,
                 struct err *err) MUST_CHECK;

#endif
