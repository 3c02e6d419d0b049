#!/bin/bash
# What tests/house/census counts stays within what was agreed: functions fit a screen,
# programs are short, no door leads nowhere, and a room of many files says why.
. "$(dirname "$0")/../tap.sh"
cd "$TOP" || exit 1
census=tests/house/census
plan $((8 + $(find lib/* -maxdepth 0 | wc -l)))

mkdir -p "$TMP/lib"
cat >"$TMP/lib/sample.c" <<'C'
#include "a.h"

/* A remark
 * (of two lines). */
static int three(int a,
                 int b)
{
    if (a) {
        return b;
    }
    return 0;
}

struct pair {
    int a;
};

int one(void)
{
    return 1;
}
C
is "$("$census" functions-of "$TMP/lib/sample.c" | cut -f 1,3 | tr '\t\n' '= ')" "8=three 4=one " \
    "functions are found, with their lines"

is "$("$census" functions | awk '$1 > 60')" "" "no function has more than 60 lines"
is "$("$census" files | awk '$2 ~ /^tools\// && $1 > 300')" "" "no program's file has more than 300 lines"
is "$(($(cat tools/*.c | wc -l) > 3800))" 0 "the programs have at most 3,800 lines together"
if [ -x "$BIN/train" ]; then
    is "$("$census" doors)" "" "every public function of lib has a caller that is no test, or says that it is for tests"
else
    skip "functions without a caller: train and predict, which call some, are not built"
fi

# ---- what a room of many files says of itself ----

for folder in lib/*/; do
    room=$(basename "$folder")
    many=$(find "$folder" -name '*.[ch]' -o -name '*.cpp' -o -name '*.hpp' | wc -l)
    head=$(sed -n "/^\/\* lib\/$room: /,/\*\//p" "$folder"*.h | tr -d '\n' | tr -s ' *' ' ')
    ok "lib/$room has at most 20 files, or says why ($many)" \
        test "$many" -le 20 -o "${head#*Many files[,:] }" != "$head"
done

# ---- CONTRIBUTING.md ----

unknown_functions() { # those that CONTRIBUTING.md names and nobody defines
    grep -oE '`[a-z_0-9]+\(\)`' CONTRIBUTING.md | tr -d '`()' | sort -u | while read -r name; do
        grep -qE "^[a-z].*\b$name\(" lib/*/*.c lib/nn/*.cpp tools/*.c || echo "$name"
    done
}
is "$(unknown_functions)" "" "the walks of CONTRIBUTING.md name functions that are there"
is "$(grep -oE '`[a-z/]+\.[ch]`' CONTRIBUTING.md | tr -d '`' | sort -u | while read -r file; do
    compgen -G "$file" >/dev/null || compgen -G "lib/$file" >/dev/null ||
        compgen -G "lib/*/$file" >/dev/null || echo "$file"
done)" "" "and files"
is "$(grep -oE 'lib/[a-z]+/[a-z_0-9]+\.[ch]' tests/fuzz/targets | sort -u | xargs ls 2>&1 >/dev/null)" "" \
    "files that fuzzing covers are there"
done_testing
