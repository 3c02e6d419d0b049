#!/bin/bash
# The package on a fresh Debian: built in a folder of that Debian, judged by lintian, brought into
# another fresh folder by apt, run, and removed without a trace.
#
# usage: check.sh SUITE FOLDER [DEB]     bookworm, trixie; DEB: do not build it
# Needs root, mmdebstrap and some GB; a folder that is there is used again.
set -eu -o pipefail
suite=${1:?usage: check.sh SUITE FOLDER [DEB]} work=${2:?usage: check.sh SUITE FOLDER [DEB]} deb=${3-}
top=$(cd "$(dirname "$0")/.." && pwd)
mirror=${DEBIAN:-http://deb.debian.org/debian}
mkdir -p "$work"
work=$(cd "$work" && pwd)

say() { echo "check: $*"; }

debian() { # FOLDER PACKAGES: a fresh Debian
    [ -d "$1" ] && return
    mmdebstrap --quiet --variant=minbase --include="$2" "$suite" "$1.part" "$mirror"
    mv "$1.part" "$1"
}

leave() { # FOLDER
    ! mountpoint -q "$1/proc" || umount "$1/proc"
}

in_root() { # FOLDER COMMAND...
    local root=$1
    shift
    mountpoint -q "$root/proc" || mount -t proc proc "$root/proc" 2>/dev/null || true
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        chroot "$root" "$@"
}

# It has much to say that is no matter here, and is shown when it fails.
apt() { # FOLDER WORD...
    local root=$1
    shift
    in_root "$root" apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$work/apt.log" 2>&1 || {
        cat "$work/apt.log"
        exit 1
    }
}

# All but what apt and dpkg keep of their own, and what adduser leaves of the packages that ours
# needs: its lock in /run, and /etc/gshadow as it was.
files_of() { # FOLDER: and the packages
    in_root "$1" dpkg-query -W -f 'package ${Package}\n'
    (cd "$1" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./run -o -path ./etc/gshadow- -o -path ./root \
        -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log -o -path ./var/lib/dpkg \
        -o -path ./usr/share/mime -o -path ./etc/resolv.conf \) -prune -o -print) | LC_ALL=C sort
}

build() { # into $work
    local root=$work/$suite-build packages
    packages=$(sed '/^#/d' "$top/packages.txt" | paste -sd, -),dpkg-dev,lintian
    debian "$root" "$packages"
    rm -rf "$root/src" && mkdir "$root/src"
    git -C "$top" archive HEAD | tar x -C "$root/src"
    rm -f "$root"/src/*.deb
    in_root "$root" sh -c 'cd /src && DEBFULLNAME=Builder DEBEMAIL=builder@example.org make -j2 -s deb'
    deb=$(echo "$root"/src/*.deb)
    in_root "$root" sh -c 'cd /src && lintian --allow-root --fail-on error,warning *.deb' || {
        say "lintian complains"
        exit 1
    }
    say "lintian has nothing to say of $(basename "$deb")"
}

try() {
    local root=$work/$suite-fresh
    leave "$root"
    rm -rf --one-file-system "$root"
    debian "$root" man-db,adduser # which apt names, and so keeps once it is there
    cp "$deb" "$root/tmp/morphoseg.deb"
    apt "$root" update
    files_of "$root" >"$work/before"
    apt "$root" install -y --no-install-recommends /tmp/morphoseg.deb
    mkdir "$root/root/images"
    cp "$top/data/demo.png" "$root/root/images"
    in_root "$root" sh -c 'cd /root && ms-segment -o results images' || {
        say "ms-segment fails"
        exit 1
    }
    say "ms-segment found $(($(wc -l <"$root/root/results/cells.tsv") - 1)) cells"
    in_root "$root" sh -c 'man -w ms-segment ms-tile' >/dev/null
    apt "$root" purge -y morphoseg
    apt "$root" autoremove --purge -y
    files_of "$root" >"$work/after"
    leave "$root"
    if ! diff "$work/before" "$work/after"; then
        say "what apt left"
        exit 1
    fi
    say "apt left nothing"
}

trap 'leave "$work/$suite-build"; leave "$work/$suite-fresh"' EXIT
[ -n "$deb" ] || build
try
