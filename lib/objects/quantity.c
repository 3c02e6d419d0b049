#include "objects/quantity.h"

#include <math.h>
#include <stdbool.h>

double quantity_physical(const struct quantity *quantity, double height, double width)
{
    bool known = height > 0 && width > 0, square = known && fabs(height - width) < 0.01 * height;
    switch (quantity->kind) {
    case QUANTITY_X:
        return known ? quantity->value * width : NAN;
    case QUANTITY_Y:
        return known ? quantity->value * height : NAN;
    case QUANTITY_AREA:
        return known ? quantity->value * height * width : NAN;
    case QUANTITY_LENGTH:
        return square ? quantity->value * sqrt(height * width) : NAN;
    default:
        return NAN;
    }
}
