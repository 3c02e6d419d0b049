/* A measured number, its name, and how it follows from the size of a pixel. */
#ifndef OBJECTS_QUANTITY_H
#define OBJECTS_QUANTITY_H

enum quantity_kind {
    QUANTITY_PLAIN,  /* a count, a share, an angle, a gray value */
    QUANTITY_LENGTH, /* in no particular direction */
    QUANTITY_AREA,
    QUANTITY_X, /* along a row */
    QUANTITY_Y, /* down a column */
};

struct quantity {
    const char *name;
    double value; /* in pixels */
    enum quantity_kind kind;
};

/* The value for pixels of that height and width in micrometers, 0 when unknown: NaN
 * then, and for plain ones.  Lengths need square pixels, to within 1 %. */
double quantity_physical(const struct quantity *quantity, double height, double width);

#endif
