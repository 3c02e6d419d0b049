/* Private to lib/stream: names of members, and keys of archives that other programs wrote. */
#ifndef STREAM_KEY_H
#define STREAM_KEY_H

#include "stream/sample.h"

/* What follows a key and its dot: words between single dots. */
bool member_name_is_valid(const char *name);

/* A valid key for one that may not be: with '_' for each character that keys cannot have,
 * and eight digits of a sum of the key as it was, so that others stay others; a valid key as
 * it is.  false for keys with control characters, or that are absolute, have an empty
 * component, "." or "..", or one that begins with '-'. */
bool key_make_valid(const char *key, char valid[SAMPLE_MAX_NAME + 1]);

/* The same of a member's name, without digits. */
bool member_name_make_valid(char *name);

#endif
