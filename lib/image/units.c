#include "image/units.h"

#include <string.h>
#include <strings.h>

#define LONGEST 40

struct unit {
    const char *name;
    double micrometers;
};

/* Symbols, as OME-XML has them (UnitsLength): case counts. */
static const struct unit symbols[] = {
    {"ym", 1e-18},
    {"zm", 1e-15},
    {"am", 1e-12},
    {"fm", 1e-9},
    {"pm", 1e-6},
    {"nm", 1e-3},
    {"um", 1},
    {"mm", 1e3},
    {"cm", 1e4},
    {"dm", 1e5},
    {"m", 1e6},
    {"dam", 1e7},
    {"hm", 1e8},
    {"km", 1e9},
    {"Mm", 1e12},
    {"thou", 25.4},
    {"mil", 25.4},
    {"li", 25400.0 / 12},
    {"in", 25400},
    {"\"", 25400},
    {"ft", 304800},
    {"yd", 914400},
    {"pt", 25400.0 / 72},
    {"A", 1e-4},
    {"\xc3\x85", 1e-4},
    {"\xe2\x84\xab", 1e-4},
    {"\xc5", 1e-4},
};

/* Words, singular; case does not count. */
static const struct unit words[] = {
    {"micron", 1},       {"micrometer", 1},   {"micrometre", 1},   {"nanometer", 1e-3},
    {"nanometre", 1e-3}, {"millimeter", 1e3}, {"millimetre", 1e3}, {"centimeter", 1e4},
    {"centimetre", 1e4}, {"meter", 1e6},      {"metre", 1e6},      {"picometer", 1e-6},
    {"picometre", 1e-6}, {"angstrom", 1e-4},  {"inch", 25400},     {"inche", 25400},
    {"um", 1},           {"nm", 1e-3},        {"cm", 1e4},         {"in", 25400},
};

/* What stands for micro becomes u. */
static const char *const micros[] = {"\xc3\x82\xc2\xb5", /* read twice */ "\xc2\xb5",
                                     "\xce\xbc",         "\\u00b5",
                                     "\\u00B5",          "\\u03bc",
                                     "\\u03BC",          "&#181;",
                                     "&#xB5;",           "&#xb5;",
                                     "&micro;",          "\xb5"};

static void spell_micro(const char *name, size_t length, char *to)
{
    size_t n = 0;
    for (size_t i = 0; i < length && n + 2 < LONGEST;) {
        size_t taken = 0;
        for (size_t m = 0; m < sizeof micros / sizeof *micros && !taken; m++)
            if (length - i >= strlen(micros[m]) &&
                memcmp(name + i, micros[m], strlen(micros[m])) == 0)
                taken = strlen(micros[m]);
        to[n++] = taken ? 'u' : name[i];
        i += taken ? taken : 1;
    }
    to[n] = '\0';
}

static double find_word(char *name)
{
    size_t length = strlen(name);
    if (length > 3 && (name[length - 1] == 's' || name[length - 1] == 'S'))
        name[length - 1] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i].name, name) == 0)
            return words[i].micrometers;
    return 0;
}

double units_micrometers(const char *name, size_t length)
{
    char spelled[LONGEST];
    while (length && strchr(" \t\r\n", *name)) {
        name++;
        length--;
    }
    while (length && strchr(" \t\r\n", name[length - 1]))
        length--;
    spell_micro(name, length, spelled);
    if (strcmp(spelled, "u") == 0)
        return 1;
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (strcmp(symbols[i].name, spelled) == 0)
            return symbols[i].micrometers;
    return find_word(spelled);
}

double units_sane(double micrometers)
{
    return micrometers > 0 && micrometers < 1e9 ? micrometers : 0;
}
