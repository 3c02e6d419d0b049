/* Names of programs in text for people, as they were installed: with PROGRAM_PREFIX. */
#include <ctype.h>
#include <string.h>

#include "cli/internal.h"

/* All programs, between spaces; told by the Makefile. */
static const char programs[] = " " MORPHOSEG_PROGRAMS " ";

/* The length of a program's name that begins here, and that an option or "(1)" follows; else 0. */
static size_t program_at(const char *text)
{
    size_t length = 0;
    char word[40] = " ";
    while (islower((unsigned char)text[length]))
        length++;
    bool is_command = strncmp(text + length, "(1)", 3) == 0 ||
                      (strncmp(text + length, " -", 2) == 0 && text[length + 2] > ' ');
    if (length == 0 || length + 3 > sizeof word || !is_command)
        return 0;
    memcpy(word + 1, text, length);
    memcpy(word + 1 + length, " ", 2);
    return strstr(programs, word) ? length : 0;
}

void cli_put_prefixed(FILE *to, const char *text)
{
    int prefix = (int)(strlen(cli_state.name) - strlen(cli_state.program->name));
    bool quoted = false, inside = false; /* inside: of a word */
    for (; *text; text++) {
        quoted ^= *text == '\'';
        if (prefix && !quoted && !inside && program_at(text))
            fprintf(to, "%.*s", prefix, cli_state.name);
        inside = isalnum((unsigned char)*text) || strchr("-_/.", *text);
        putc(*text, to);
    }
}
