/* Text of others, the names of files and what streams say, as it may be shown: on a
 * terminal, in a line of a message, in a cell of a table.
 *
 * Control characters (C0, DEL and C1), separators of lines and paragraphs, marks that turn
 * the direction of writing, and bytes that are no UTF-8 become \xHH, a byte each: what is
 * left can neither end a line nor command a terminal. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TEXT_GROWTH 4 /* bytes that one byte may become */

/* Bytes of the UTF-8 character at `text` (RFC 3629), 0 when it is none; 1 for the final zero. */
size_t text_utf8_length(const char *text);

/* Writes it to `to`, ended and cut to `size`, which is not 0; returns the length. */
size_t text_harmless(char *to, size_t size, const char *text);

/* Writes it to a file, whose errors are the caller's to check. */
void text_put(FILE *to, const char *text);

/* The same for whole JSON, which stays what it is: characters become \uHHHH. */
void text_put_json(FILE *to, const char *json);

/* Whether a word is among so many bytes, which may have no zero at their end. */
bool text_has(const char *text, size_t size, const char *word);

/* A time as people say it, "40 s", "12 min", "3.5 h", "2.1 days"; returns `to`. */
const char *text_duration(char *to, size_t size, double seconds);

#endif
