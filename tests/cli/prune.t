#!/bin/bash
# shellcheck source=tests/tap.sh
# shellcheck disable=SC2002,SC2016,SC2317
. "$(dirname "$0")/../tap.sh"
cd "$TMP" || exit 1

# Four tiles: cells, a few pixels of a cell, an empty mask, and a blank image.
python=
for p in python3 /usr/bin/python3; do
    "$p" -c 'import numpy' 2>/dev/null && python=$p && break
done
[ "$python" ] || skip_all "no NumPy"
plan 15
"$python" - <<'END'
import io, tarfile
import numpy as np
random = np.random.default_rng(1)
y, x = np.mgrid[:96, :96]
disc = (y - 40) ** 2 + (x - 50) ** 2 < 400
light = 120 + 0.3 * x - 0.2 * y + random.normal(0, 2, (96, 96))
few = np.zeros((96, 96), "u1")
few[3, 5] = 255
none = np.zeros((96, 96), "u1")
samples = {
    "cells": (light + 40 * disc, (255 * disc).astype("u1")), "few": (light + 40 * disc, few),
    "none": (light + 40 * disc, none), "blank": (light, none), "black": (0 * light, few),
}
with tarfile.open("a.tar", "w") as tar:
    for key, (image, mask) in samples.items():
        for name, array in ("image", image[:, :, None].astype("u1")), ("mask", mask):
            file = io.BytesIO()
            np.save(file, array)
            info = tarfile.TarInfo("%s.%s.npy" % (key, name))
            info.size = file.tell()
            file.seek(0)
            tar.addfile(info, file)
END
keys() { # OPTION...
    prune "$@" a.tar | peek | sed '/^#/d; s/\t.*//' | paste -sd ' '
}
is "$(keys)" "cells few black" "masks without foreground go"
is "$(keys --min-foreground 0.01)" "cells" "and those with too little"
is "$(keys --min-foreground 0)" "cells few black" "0 is the default"
is "$(keys --blank)" "cells few none" "noise on uneven light is blank, and so is black"
is "$(keys --blank --min-foreground 0)" "cells few" "both rules"
is "$(keys --invert)" "none blank" "and the other way round"
is "$(keys --contrast 0.9)" "" "nothing may be left"
prune a.tar >b.tar
is "$(tar xOf b.tar few.image.npy | sha256sum)" "$(tar xOf a.tar few.image.npy | sha256sum)" \
    "what stays is not changed"
is "$(prune a.tar a.tar | peek -n)" 6 "two streams in"
tar xf a.tar few.image.npy && tar cf nomask.tar --format=ustar few.image.npy
fails 65 "no mask to look at" prune nomask.tar
is "$(prune --blank nomask.tar | peek -n)" 1 "--blank needs none"
fails 64 "a share above 1" prune --min-foreground 2 a.tar
fails 66 "no such stream" prune nothing.tar
prune -o cut.out <(head -c 5000 a.tar) 2>/dev/null
ok "nothing half-written is left" test ! -e cut.out
ok "a full disk is noticed" bash -c '! prune a.tar >/dev/full 2>/dev/null'
done_testing
