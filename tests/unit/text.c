/* lib/core/text: what others wrote, made harmless. */
#include <stdlib.h>

#include "core/err.h"
#include "core/text.h"
#include "tests/tap.h"

static void test_shown(const char *text, const char *expected, const char *name)
{
    char shown[200];
    size_t length = text_harmless(shown, sizeof shown, text);
    is_str(shown, expected, name);
    is_int((long long)length, (long long)strlen(expected), "its length");
}

static void test_characters(void)
{
    test_shown("", "", "nothing");
    test_shown("a b/c.tif", "a b/c.tif", "ASCII");
    test_shown("\xc3\xa4 \xe2\x9c\x93 \xf0\x9f\x94\xac", "\xc3\xa4 \xe2\x9c\x93 \xf0\x9f\x94\xac",
               "two, three and four bytes");
    test_shown("a\tb\nc\rd\x1b[31m", "a\\x09b\\x0ac\\x0dd\\x1b[31m", "control characters");
    test_shown("\x7f\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0",
               "\\x7f\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0", "DEL and C1, and what follows it");
    test_shown("\x9b\xff\xe4", "\\x9b\\xff\\xe4", "bytes that are no UTF-8");
    test_shown("\xe2\x80\xae\xe2\x80\xa8\xe2\x81\xa6\xe2\x80\x93",
               "\\xe2\\x80\\xae\\xe2\\x80\\xa8\\xe2\\x81\\xa6\xe2\x80\x93",
               "directions and separators, and a dash");
    test_shown("\xc0\x8a\xe0\x80\x8a", "\\xc0\\x8a\\xe0\\x80\\x8a", "longer than need be");
    test_shown("\xed\xa0\x80", "\\xed\\xa0\\x80", "half of a pair");
    test_shown("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "beyond Unicode");
    test_shown("\xe2\x9c", "\\xe2\\x9c", "cut");
}

static void test_room(void)
{
    char shown[6];
    is_int((long long)text_harmless(shown, sizeof shown, "abcd\n"), 4, "what does not fit whole");
    is_str(shown, "abcd", "is left out");
    is_int((long long)text_harmless(shown, sizeof shown, "abcdefgh"), 5, "as much as fits");
    is_int((long long)text_harmless(shown, 1, "abc"), 0, "room for the end alone");
}

static void test_json(void)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!ok(to, "a file in memory"))
        return;
    text_put_json(to, "{\"a\": \"\xc2\x9b\x7f\xe2\x80\xae\xc3\xa4\"}\n");
    fclose(to);
    is_str(text,
           "{\"a\": "
           "\"\\u009b\\u007f\\u202e\xc3\xa4\"}\n",
           "JSON stays what it is");
    free(text);
}

static void test_long_messages(void)
{
    struct err err;
    char path[3000];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    err_set(&err, STATUS_DATA, "read '%s': strip 3 is cut", path);
    ok(strlen(err.message) == sizeof err.message - 1, "a long message fills its room");
    ok(strncmp(err.message, "read 'ppp", 9) == 0, "it begins as it did");
    ok(strstr(err.message, "p': strip 3 is cut"), "and ends as it did");
    err_prefix(&err, "tile '%s'", path);
    ok(strstr(err.message, "p': strip 3 is cut"), "also after a prefix");
}

int main(void)
{
    tap_plan(32);
    test_characters();
    test_room();
    test_json();
    test_long_messages();
    return tap_done();
}
