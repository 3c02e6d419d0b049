#!/bin/bash
# A Debian package out of `make install`, for the Debian that it is built on.
#
# usage: deb.sh VERSION OUT.deb      (called by `make deb`)
set -eu
version=${1:?usage: deb.sh VERSION OUT.deb} out=${2:?usage: deb.sh VERSION OUT.deb}
top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/morphoseg
umask 022
maintainer="${DEBFULLNAME:-$(id -un)} <${DEBEMAIL:-$(id -un)@$(hostname -f)}>"

make -s -C "$top" install DESTDIR="$root" PREFIX=/usr PROGRAM_PREFIX=ms- ${BUILD:+BUILD="$BUILD"}
find "$root/usr/share/man" -type f ! -name '*.gz' -exec gzip -9n {} +

doc=$root/usr/share/doc/morphoseg
mkdir -p "$doc" "$root/DEBIAN" "$work/debian"
{
    echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
    echo
    echo 'Files: *'
    sed -n 's/^Copyright (c) /Copyright: /p' "$top/LICENSE" | head -n 1
    echo 'License: BSD-2-Clause'
    sed 's/^$/./; s/^/ /' "$top/LICENSE"
} >"$doc/copyright"
{
    echo "morphoseg ($version) unstable; urgency=low"
    echo
    echo '  * Built from the sources by make deb.'
    echo
    echo " -- $maintainer  $(LC_ALL=C date -R -u -r "$top/Makefile")"
} | gzip -9n >"$doc/changelog.gz"

# What the programs link, by the package's names here.
printf 'Source: morphoseg\nPackage: morphoseg\nArchitecture: any\n' >"$work/debian/control"
programs=()
for program in "$root"/usr/bin/*; do
    ! head -c 4 "$program" | grep -q ELF || programs+=(-e"$program")
done
depends=$(cd "$work" && dpkg-shlibdeps -O "${programs[@]}" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
cat >"$root/DEBIAN/control" <<END
Package: morphoseg
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: $maintainer
Installed-Size: $(du -sk "$root/usr" | cut -f 1)
Depends: $depends
Recommends: parallel, libopenslide0 | libopenslide1
Section: science
Priority: optional
Description: cell segmentation as small Unix programs
 Programs that cut microscopy images into tiles, train and apply networks
 (TransUNet with virtual outlier synthesis among them), and put masks, cells
 and tables together again, through pipes.  Their names begin with ms-.
END
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
dpkg-deb --root-owner-group --build "$root" "$out" >/dev/null
echo "$out: apt install ./$out"
