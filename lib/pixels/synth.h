/* Drawing microscopy images of cells together with their exact masks, for tests,
 * demonstrations, benchmarks and training.
 *
 * Cells are drawn as a map of optical thickness; the look of a microscope is made
 * from that map by linear filters (phase contrast: thickness against its own wide
 * average, which gives the halo; bright field: the fringe of a slight defocus and
 * some slanted light; fluorescence: the stain itself; blood: absorption), followed
 * by uneven illumination, debris, blur and noise. A monolayer's cells: monolayer.h. What further
 * looks consist of: kinds.h. */
#ifndef PIXELS_SYNTH_H
#define PIXELS_SYNTH_H

#include "core/array.h"
#include "core/rng.h"

enum synth_look {
    SYNTH_BRIGHTFIELD,  /* NT2-like: spindle and branched cells with neurites, low contrast */
    SYNTH_PHASE,        /* the same cells with dark bodies and bright halos */
    SYNTH_FLUORESCENCE, /* bright nuclei on a dark ground */
    SYNTH_BLOOD,        /* red cells on a bright ground */
    SYNTH_MONOLAYER,    /* a sheet of flat cells that touch, in phase contrast or bright field */
    SYNTH_BACTERIA,     /* rods, cocci, chains and colonies */
    SYNTH_YEAST,        /* round and budding cells, in and out of focus */
    SYNTH_CYTOPLASM,    /* whole stained cells, apart or in sheets, bright on a dark ground */
    SYNTH_TISSUE,       /* nuclei of stained or of thick glowing sections */
    SYNTH_SMEAR,        /* stained red cells, some crenated or with parasites, and white ones */
    SYNTH_DIC,          /* large granular cells in differential interference contrast */
    SYNTH_LOOKS,
    SYNTH_MIXED = SYNTH_MONOLAYER, /* looks, the first ones, that a mixture goes through */
};

#define SYNTH_LOOK_NAMES                                                                           \
    "brightfield|phase|fluorescence|blood|monolayer|bacteria|yeast|"                               \
    "cytoplasm|tissue|smear|dic"

struct synth_options {
    enum synth_look look;
    size_t width, height; /* pixels */
    double coverage;      /* part of the image to be covered by cells; 0: drawn at random */
    double radius;        /* typical half width of a cell body, pixels; 0: drawn at random */
    double contrast;      /* multiplies the cells' contrast; 1 is typical */
    double noise;         /* multiplies the noise; 1 is typical */
};

/* Draws an image: H x W x 1 uint8, and its labels: H x W uint32, 0 background and
 * 1 to N for N cells.  Both are new.  The result depends on options and rng only. */
int synth_draw(const struct synth_options *options, struct rng *rng, struct array *image,
               struct array *labels, struct err *err) MUST_CHECK;

#endif
