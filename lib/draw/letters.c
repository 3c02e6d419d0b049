#include "draw/letters.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define STROKE 0.42 /* half a stroke's width, in units */
#define GAP    2.0  /* between letters, in units */

/* Points as two digits, x and y from the top of capitals; strokes between spaces. */
static const char *const shapes[] = {
    [' '] = "",
    ['!'] = "0004 0606",
    ['"'] = "0002 2022",
    ['#'] = "1016 3036 0242 0444",
    ['$'] = "413010010213334445361605 2026",
    ['%'] = "4006 0010110100 3545463635",
    ['&'] = "4612112031320405162643",
    ['\''] = "0002",
    ['('] = "10010516",
    [')'] = "00111506",
    ['*'] = "2125 0244 4204",
    ['+'] = "2125 0343",
    [','] = "1607",
    ['-'] = "0333",
    ['.'] = "0606",
    ['/'] = "4006",
    ['0'] = "103041453616050110",
    ['1'] = "011016 0626",
    ['2'] = "01103041420646",
    ['3'] = "011030414233 13334445361605",
    ['4'] = "36300444",
    ['5'] = "400002324345361605",
    ['6'] = "413010010516364544331304",
    ['7'] = "004016",
    ['8'] = "103041423313020110 3344453616050413",
    ['9'] = "051636454130100102133342",
    [':'] = "0202 0606",
    [';'] = "1212 1607",
    ['<'] = "310335",
    ['='] = "0242 0444",
    ['>'] = "013305",
    ['?'] = "01103041422324 2626",
    ['@'] = "322213142434 32344441301001051636",
    ['A'] = "062046 1434",
    ['B'] = "06003041423303 3344453606",
    ['C'] = "4130100105163645",
    ['D'] = "00062644422000",
    ['E'] = "40000646 0333",
    ['F'] = "400006 0333",
    ['G'] = "41301001051636454323",
    ['H'] = "0006 4046 0343",
    ['I'] = "0006",
    ['J'] = "3035261605",
    ['K'] = "0006 4004 1346",
    ['L'] = "000646",
    ['M'] = "0600234046",
    ['N'] = "06004640",
    ['O'] = "103041453616050110",
    ['P'] = "06003041423303",
    ['Q'] = "103041453616050110 2446",
    ['R'] = "06003041423303 2346",
    ['S'] = "413010010213334445361605",
    ['T'] = "0040 2026",
    ['U'] = "000516364540",
    ['V'] = "002640",
    ['W'] = "0016223640",
    ['X'] = "0046 4006",
    ['Y'] = "002340 2326",
    ['Z'] = "00400646",
    ['['] = "10000616",
    ['\\'] = "0046",
    [']'] = "00101606",
    ['^'] = "022042",
    ['_'] = "0747",
    ['`'] = "0011",
    ['a'] = "4246 4332120305163645",
    ['b'] = "0006 0312324345361605",
    ['c'] = "4332120305163645",
    ['d'] = "4046 4332120305163645",
    ['e'] = "04444332120305163645",
    ['f'] = "30201116 0232",
    ['g'] = "4247381807 4332120305163645",
    ['h'] = "0006 0312324346",
    ['i'] = "0206 0000",
    ['j'] = "121708 1010",
    ['k'] = "0006 3204 1336",
    ['l'] = "0006",
    ['m'] = "0206 0312223336 3342526366",
    ['n'] = "0206 0312324346",
    ['o'] = "123243453616050312",
    ['p'] = "0208 0312324345361605",
    ['q'] = "4248 4332120305163645",
    ['r'] = "0206 031232",
    ['s'] = "43321203143445361605",
    ['t'] = "10152636 0232",
    ['u'] = "0205163645 4246",
    ['v'] = "022642",
    ['w'] = "0216233642",
    ['x'] = "0246 4206",
    ['y'] = "0226 4218",
    ['z'] = "02420646",
    ['{'] = "20111203141526",
    ['|'] = "0007",
    ['}'] = "00111223141506",
    ['~'] = "03123443",
};
static const char micro[] = "0208 05163645 4246";

/* The shape of the next character, past which `text` goes; UTF-8 is one character. */
static const char *next_shape(const char **text)
{
    const unsigned char *s = (const unsigned char *)*text;
    size_t length = 1;
    while ((s[length] & 0xc0) == 0x80)
        length++;
    *text += length;
    if ((s[0] == 0xc2 && s[1] == 0xb5) || (s[0] == 0xce && s[1] == 0xbc))
        return micro;
    return s[0] < sizeof shapes / sizeof *shapes && shapes[s[0]] ? shapes[s[0]] : shapes['?'];
}

static double width_of(const char *shape)
{
    int width = *shape ? 0 : 2;
    for (; *shape; shape += *shape == ' ' ? 1 : 2)
        if (*shape != ' ' && *shape - '0' > width)
            width = *shape - '0';
    return width;
}

double letters_width(const char *text)
{
    double width = 0;
    while (*text)
        width += width_of(next_shape(&text)) + GAP;
    return width > 0 ? width - GAP + 2 * STROKE : 0;
}

static double distance(double x, double y, const double a[2], const double b[2])
{
    double dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
    double along = length > 0 ? ((x - a[0]) * dx + (y - a[1]) * dy) / length : 0;
    along = fmin(fmax(along, 0), 1);
    return hypot(x - a[0] - along * dx, y - a[1] - along * dy);
}

/* From the nearest of a shape's strokes, in units. */
static double distance_to_shape(const char *shape, double x, double y)
{
    double nearest = INFINITY, last[2] = {0, 0};
    bool goes_on = false;
    while (*shape) {
        if (*shape == ' ') {
            goes_on = false;
            shape++;
            continue;
        }
        double point[2] = {shape[0] - '0', shape[1] - '0'};
        nearest = fmin(nearest, distance(x, y, goes_on ? last : point, point));
        memcpy(last, point, sizeof last);
        goes_on = true;
        shape += 2;
    }
    return nearest;
}

void letters_row(const char *text, double unit, double left, double y, double wider, size_t width,
                 float *ink)
{
    double radius = STROKE * unit + wider;
    left += STROKE * unit;
    while (*text) {
        const char *shape = next_shape(&text);
        double across = width_of(shape) * unit;
        size_t from = (size_t)fmax(left - radius - 1, 0),
               end = (size_t)(left + across + radius + 2);
        for (size_t x = from; x < width && x < end; x++) {
            double d = distance_to_shape(shape, ((double)x + 0.5 - left) / unit, y / unit) * unit;
            float share = (float)fmin(fmax(radius + 0.5 - d, 0), 1);
            ink[x] = share > ink[x] ? share : ink[x];
        }
        left += across + GAP * unit;
    }
}
