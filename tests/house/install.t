#!/bin/bash
# What `make install` puts where, under other names too; `make uninstall` leaves nothing.
. "$(dirname "$0")/../tap.sh"
plan $((27 + 3 * $(find "$BIN" -type f | wc -l)))
cd "$TOP" || exit 1
at=$TMP/at
run_make() { make -s BUILD="$BUILD" DESTDIR="$at" PREFIX=/usr PROGRAM_PREFIX=ms- "$@"; }

ok "make install" run_make install
is "$(cd "$at/usr/bin" && echo *)" "$(cd "$BIN" && printf 'ms-%s ' * | sed 's/ $//')" \
    "programs have the prefix"
is "$(cd "$at/usr/share/man/man1" && echo *)" \
    "$(cd "$BIN" && printf 'ms-%s.1 ' * | sed 's/ $//')" "so have their man pages"
is "$(cd "$at/usr/share/man" && echo man5/* man7/*)" "$(cd man && echo *.5 *.7 |
    sed -E 's|([a-z-]+)\.([57])|man\2/\1.\2|g')" "the others have not"
ok "the default model" test -s "$at/usr/share/morphoseg/default.safetensors"
is "$(nm "$at/usr/bin/ms-peek" 2>&1 | grep -c 'no symbols')" 1 "programs are stripped"

installed=$at/usr/bin/ms-tile
is "$("$installed" --help | sed -n '1p;3p')" "ms-tile - cut images into a tensor stream
usage: ms-tile [options] [IMAGE...]" "--help has the installed name"
is "$("$installed" --version | cut -d ' ' -f 1)" ms-tile "so has --version"
is "$("$installed" --sice 2>&1)" "ms-tile: unknown option '--sice' (see 'ms-tile --help')" \
    "so have messages"
is "$("$installed" data/demo.png -s full | peek -p | cut -d ' ' -f 1-4)" \
    "# tile $("$BIN/tile" -V | awk '{print $NF}'): tile" "what a stream tells of its past has not"
is "$("$installed" data/demo.png -s 256 | "$at/usr/bin/ms-predict" | "$at/usr/bin/ms-peek" -n)" 20 \
    "ms-predict finds the installed model"
for page in "$at"/usr/share/man/man1/*; do
    ok "$(basename "$page") is sound" mandoc -T lint -W warning "$page"
done
is "$(grep -E '^\.(Nm ms|Xr .* 1)' "$at"/usr/share/man/man1/ms-tile.1 | sort -u | head -3)" \
    ".Nm ms-tile
.Xr ms-label 1
.Xr ms-label 1 ." "man pages have the installed names"
is "$(grep -m 1 '^\.Dl' "$at"/usr/share/man/man1/ms-tile.1)" \
    ".Dl ms-tile img.tif | ms-predict | ms-stitch > img_mask.png" "examples too"

is "$("$at/usr/bin/ms-gallery" --help | grep -o 'ms-label -T\|ms-label --svg' | tr '\n' ' ')" \
    "ms-label -T ms-label --svg " "help names other programs as they are called"
is "$("$at/usr/bin/ms-gallery" -o "$TMP/g" --history LICENSE data/demo.png 2>&1)" \
    "ms-gallery: read 'LICENSE': not a table of ms-score(1)" "so do messages"
is "$(grep -rhE '^\.(Pq )?Ql' "$at/usr/share/man" | grep -cE "Ql ($(cd "$BIN" && echo * | tr ' ' '|'))( |$)")" 0 \
    "and man pages"
is "$("$at/usr/bin/ms-segment" --help | grep -c "for ms-")" 4 "and scripts"

# ---- completions ----

complete_words() { # WORDS...: what bash offers for the last one
    bash -c '
        . "$0/ms-$1"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        "_morphoseg_ms_$1"
        printf "%s\n" "${COMPREPLY[@]}"' "$at/usr/share/bash-completion/completions" "$@" | tr '\n' ' '
}

for program in "$BIN"/*; do
    name=ms-$(basename "$program")
    ok "$name: bash reads its completion" bash -n "$at/usr/share/bash-completion/completions/$name"
done
is "$(complete_words tile --e)" "--edge " "an option"
is "$(complete_words tile --edge '')" "shift pad fit " "its words"
is "$(complete_words tile --edge = s)" "shift " "its words after ="
is "$(complete_words tile --masks dat)" "data " "a folder"
is "$(complete_words tile --size '')" " " "nothing for a number"
is "$(complete_words tile data/demo.p)" "data/demo.png " "an operand"
is "$(complete_words weights d)" "diff " "a command"
is "$(complete_words overlay --colo)" "--color " "no words that are not shown"
for program in "$BIN"/*; do
    name=ms-$(basename "$program")
    if command -v zsh >/dev/null; then
        ok "$name: zsh reads its completion" zsh -n "$at/usr/share/zsh/site-functions/_$name"
    else
        skip "no zsh here"
    fi
done

ok "make uninstall" run_make uninstall
is "$(find "$at" -type f)" "" "nothing is left"
done_testing
