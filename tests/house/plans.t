#!/bin/bash
# A test that checks nothing, or ends before its plan, fails.
. "$(dirname "$0")/../tap.sh"
plan 15
cd "$TMP" || exit 1

script() { # LINE...: a shell test of these lines
    { printf '#!/bin/bash\n. "%s/tests/tap.sh"\n' "$TOP" && printf '%s\n' "$@"; } >broken.t
    chmod +x broken.t
}

program() { # LINE...: a C test whose main has these lines
    { printf '#include "tests/tap.h"\nint main(void)\n{\n' && printf '%s\n' "$@" && echo '}'; } >broken.c
    ${CC:-cc} -w -I"$TOP" -o broken broken.c -lm
}

passes() { prove --exec '' -Q "$@"; }
refuses() { ! prove --exec '' -Q "$@"; }

# ---- shell ----
script 'plan 2' 'ok one true' 'ok two true' done_testing
ok "a shell test that keeps its plan passes" passes ./broken.t
script 'plan 2' 'ok one true' 'ok two false' done_testing
ok "one with a failure does not" refuses ./broken.t
script 'plan 2' 'ok one true' done_testing
ok "nor one with fewer checks" refuses ./broken.t
script 'plan 1' 'ok one true' 'ok two true' done_testing
ok "nor one with more" refuses ./broken.t
script 'plan 2' 'ok one true' 'exit 0' 'ok two true' done_testing
ok "nor one that ends early and well" refuses ./broken.t
script 'ok one true' done_testing
ok "nor one without a plan" refuses ./broken.t
script done_testing
ok "nor one that checks nothing" refuses ./broken.t
script 'plan 3' 'skip "no such thing" 2' 'ok one true' done_testing
ok "checks that cannot be made are counted" passes ./broken.t

# ---- C ----
program 'tap_plan(2);' 'ok(true, "one");' 'ok(true, "two");' 'return tap_done();'
ok "a C test that keeps its plan passes" passes ./broken
program 'tap_plan(2);' 'ok(true, "one");' 'if (tap_count) return tap_done();' 'ok(true, "two");' 'return tap_done();'
ok "one that returns early does not" refuses ./broken
program 'tap_plan(2);' 'ok(true, "one");' 'return 0;'
ok "nor one that does not come to its end" refuses ./broken
program 'tap_plan(1);' 'ok(false, "one");' 'return tap_done();'
ok "nor one with a failure" refuses ./broken
program 'ok(true, "one");' 'return tap_done();'
ok "nor one without a plan" refuses ./broken
program 'return tap_done();'
ok "nor one that checks nothing" refuses ./broken

# ---- all of them ----
is "$(cd "$TOP" && grep -LE '^ *(tap_)?plan[ (]' tests/*/*.t tests/unit/*.c tests/torch/*.c)" "" "every test has a plan"
done_testing
