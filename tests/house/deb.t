#!/bin/bash
# make deb: a package with all programs, their pages and the model.
. "$(dirname "$0")/../tap.sh"
command -v dpkg-shlibdeps >/dev/null || skip_all "no dpkg-dev"
plan 5
cd "$TOP" || exit 1
version=$("$BIN/tile" --version | awk '{print $NF}')
export DEBFULLNAME="A Builder" DEBEMAIL=builder@example.org

# The tests' own build: no other is made.
ok "the package" make -s deb BUILD="$BUILD" DEB="$TMP/m.deb"
is "$(dpkg-deb -f "$TMP/m.deb" Package Version | awk '{print $2}' | tr '\n' ' ')" \
    "morphoseg $version " "its name and version"
is "$(dpkg-deb -c "$TMP/m.deb" | sed -n 's|.* ./usr/bin/ms-||p' | tr '\n' ' ')" \
    "$(cd "$BIN" && echo *) " "has every program"
is "$(dpkg-deb -c "$TMP/m.deb" | grep -c 'share/man/man1/ms-.*[.]1[.]gz')" \
    "$(find "$BIN" -type f | wc -l)" "and their pages"
ok "it names libtorch" grep -q libtorch <(dpkg-deb -f "$TMP/m.deb" Depends)
done_testing
