#!/bin/bash
# Python reads a stream: tarfile and NumPy, and webdataset where it is installed.
# And what NumPy writes is read here.
# shellcheck source=tests/tap.sh
# shellcheck disable=SC2002,SC2016,SC2317
. "$(dirname "$0")/../tap.sh"
python=
for p in python3 /usr/bin/python3; do
    "$p" -c 'import numpy' 2>/dev/null && python=$p && break
done
[ "$python" ] || skip_all "no NumPy"
plan 59
cd "$TMP" || exit 1
synth -q -n 3 -s 30x20 -o a.tar --prefix s

ok "tarfile and numpy.load" "$python" - <<'END'
import io, json, tarfile
import numpy as np
tar = tarfile.open("a.tar")
names = tar.getnames()
assert names[0] == "__stream__" and names[-1] == "__end__", names
load = lambda name: tar.extractfile(name).read()
image = np.load(io.BytesIO(load("s_00001.image.npy")))
mask = np.load(io.BytesIO(load("s_00001.mask.npy")))
assert image.shape == (20, 30, 1) and image.dtype == np.uint8, image.shape
assert mask.shape == (20, 30)
end = json.loads(load("__end__"))
assert end["samples"] == 3 and end["members"] == len(names) - 2, end
assert json.loads(load("__stream__"))["provenance"][0]["program"] == "synth"
END

"$python" - <<'END'
import io, tarfile
import numpy as np
a = np.arange(2 * 3 * 4)
arrays = {
    "c": a.reshape(2, 3, 4).astype("<u2"), "big": a.reshape(2, 3, 4).astype(">u2"),
    "fortran": np.asfortranarray(a.reshape(2, 3, 4).astype("<u2")),
    "both": np.asfortranarray(a.reshape(2, 3, 4).astype(">u2")),
    "scalar": np.float32(3), "empty": np.zeros((0, 5)), "flag": a > 3, "half": a.astype("f2"),
}
with tarfile.open("numpy.tar", "w") as tar:
    for name, array in arrays.items():
        file = io.BytesIO()
        np.save(file, array)
        info = tarfile.TarInfo("k.%s.npy" % name)
        info.size = file.tell()
        file.seek(0)
        tar.addfile(info, file)
END
is "$(peek numpy.tar | tr '\t' '\n' | sed 1d | tr '\n' ';')" \
    "c uint16 2x3x4;big uint16 2x3x4;fortran uint16 2x3x4;both uint16 2x3x4;scalar float32 scalar;empty float64 0x5;flag bool 24;half float16 24;" \
    "what NumPy writes"
holdout --stable --by tile -f 0.0001 --train -o again.tar numpy.tar
ok "other byte and index orders hold the same numbers" "$python" - <<'END'
import io, tarfile
import numpy as np
tar = tarfile.open("again.tar")
arrays = [np.load(io.BytesIO(tar.extractfile("k.%s.npy" % n).read())) for n in ("c", "big", "fortran", "both")]
for array in arrays:
    assert array.flags.c_contiguous and array.dtype == np.dtype("<u2"), array.dtype
    assert np.array_equal(array, np.arange(24).reshape(2, 3, 4))
END

# ---- arrays and keys as NumPy programs and WebDataset have them ----
image() { "$BUILD/tests/helper/image" "$@"; }
"$python" - <<'END'
import io, tarfile
import numpy as np
rng = np.random.default_rng(1)
gray = rng.integers(0, 256, (31, 40), dtype=np.uint8)
rgb = rng.integers(0, 256, (70, 80, 3), dtype=np.uint8)
mask = (np.arange(31 * 40).reshape(31, 40) // 100).astype(np.uint16)
def save(path, members, format=tarfile.PAX_FORMAT):
    with tarfile.open(path, "w", format=format) as tar:
        for name, array in members:
            file = io.BytesIO()
            np.save(file, array)
            info = tarfile.TarInfo(name)
            info.size = file.tell()
            file.seek(0)
            tar.addfile(info, file)
images = {"plain": gray[..., None], "hw": gray, "one": gray[None], "batch": gray[None, :, :, None],
          "fortran": np.asfortranarray(gray), "rgb": rgb, "chw": rgb.transpose(2, 0, 1),
          "bchw": np.ascontiguousarray(rgb.transpose(2, 0, 1))[None], "white": gray > 99,
          "deep": gray.astype(">u2") * 257, "half": (gray / 255).astype("f2"), "single": (gray / 255).astype("f4"),
          "double": gray / 255, "long": gray.astype("i8"), "short": gray.astype("i2")}
for name, array in images.items():
    save("image.%s.tar" % name, [("k.image.npy", array)])
masks = {t: mask.astype(t) for t in ("u2", "i1", "i2", ">i4", "i8", "u8", "f4", "f8", "f2")}
masks.update(hw1=mask[..., None].astype("i8"), one=mask[None].astype("i4"), fortran=np.asfortranarray(mask.astype("i8")))
for name, array in masks.items():
    save("mask.%s.tar" % name, [("k.mask.npy", array)])
save("mask.flag.tar", [("k.mask.npy", mask > 5)])
save("mask.flag8.tar", [("k.mask.npy", (mask > 5).astype("u1"))])
for name, array in (("minus", mask.astype("i8") - 1), ("parts", mask * 0.5), ("nan", np.where(mask, np.nan, 1.0)),
                    ("huge", mask.astype("i8") << 40), ("complex", mask.astype("c8")), ("axes", mask.reshape(31, 20, 2))):
    save("badmask.%s.tar" % name, [("k.mask.npy", array)])
save("wide.tar", [("k.mask.npy", mask.astype("i8") * 10000)])
prob = (gray / 255)
save("prob.tar", [("k.prob.npy", np.stack([1 - prob, prob]))])
save("prob1.tar", [("k.prob.npy", prob)])
save("prob2.tar", [("k.prob.npy", prob[None].astype("f4"))])
keys = ["Well A1 (2)", "a+b,c=d", "été/Größe 5µm", "v1.2/x", "a b", "a_b", "日本"]
for name, format in (("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT)):
    save("keys.%s.tar" % name, [(k + ".image.npy", gray) for k in keys], format)
save("latin.tar", [("caf\udce9.image.npy", gray)], tarfile.GNU_FORMAT)
save("suffix.tar", [("k.image.npy", gray), ("k.my notes (1).npy", gray), ("k.a..b.npy", gray)])
for i, key in enumerate(["a\nb", "-rf", "/abs", "../up", "a/../b", "", "a//b", "x\x1b[2J"]):
    save("badkey.%d.tar" % i, [(key + ".image.npy", gray)])
END
pixels() { stitch -q "$@" 2>err | sha256sum; }
for same in hw one batch fortran; do
    is "$(pixels "image.$same.tar")" "$(pixels image.plain.tar)" "an image: $same"
done
for same in chw bchw; do
    is "$(pixels image.$same.tar)" "$(pixels image.rgb.tar)" "an image: $same"
done
for same in double half; do
    stitch -q -f tiff -o $same.tif image.$same.tar
    is "$(image info $same.tif)" "40 31 1 32" "an image of $same precision"
done
stitch -q -f tiff -o single.tif image.single.tar
ok "has its values" image same double.tif single.tif
stitch -q -o white.png image.white.tar
is "$(image info white.png; for x in 0 1 2 3; do image at white.png $x 0; done | sort -u | tr '\n' ' ')" \
    "40 31 1 8
0 255 " "an image of booleans is black and white"
for bad in long short; do
    fails 65 "an image whose white is not known: $bad" stitch -o x.png image.$bad.tar
    is "$(grep -c "'k.image.npy': int.* does not say how bright white is" "$TMP/.err")" 1 "is asked for another"
done
for same in i1 i2 ">i4" i8 u8 f4 f8 f2 hw1 one fortran; do
    stitch -q -f tiff -o m.tif "mask.$same.tar" && stitch -q -f tiff -o u2.tif mask.u2.tar
    ok "a mask: $same" image same m.tif u2.tif
done
is "$(pixels mask.flag.tar)" "$(pixels mask.flag8.tar)" "a mask of booleans"
stitch -q -o wide.tif wide.tar
is "$(image info wide.tif) $(image at wide.tif 39 30)" "40 31 1 32 120000" "labels beyond 16 bits"
for bad in minus parts nan huge complex axes; do
    fails 65 "a mask that is none: $bad" stitch -o x.tif "badmask.$bad.tar"
done
is "$(pixels --prob prob1.tar)" "$(pixels --prob prob2.tar)" "probabilities without an axis of classes"
is "$(pixels --prob prob.tar)" "$(pixels --prob prob1.tar)" "of double precision"
augment -q -n 1 image.hw.tar | peek >out 2>&1
is "$(grep -c 'image uint8 ..x..x1' out)" 1 "a filter writes them as it read them"

for format in pax gnu; do
    is "$(LC_ALL=C peek keys.$format.tar | cut -f 1 | paste -sd'|')" \
        "Well A1 (2)|a+b,c=d|été/Größe 5µm|v1.2/x|a b|a_b|日本" "keys of any characters ($format)"
    LC_ALL=C prune -q --blank --invert keys.$format.tar >back.tar
    LC_ALL=C stitch -q -o "wells.$format/" keys.$format.tar
    is "$(cd wells.$format && LC_ALL=C && printf '%s\n' * | paste -sd'|')" \
        "Größe 5µm.png|Well A1 (2).png|a b.png|a+b,c=d.png|a_b.png|x.png|日本.png" "name the files"
done
holdout --stable --by tile -f 0.0001 --train keys.pax.tar 2>/dev/null >safe.tar
is "$(tar tf safe.tar | grep -cvE '^[A-Za-z0-9_/-]+\.(image\.npy|json)$|^__')" 0 "members have safe ones"
is "$(peek safe.tar | cut -f 1 | grep -v '^#' | paste -sd'|')" \
    "Well A1 (2)|a+b,c=d|été/Größe 5µm|v1.2/x|a b|a_b|日本" "and remember"
is "$(peek -j safe.tar | sed -n 2p | grep -c '"__key__":"Well A1 (2)"')" 1 "in KEY.json"
is "$(LC_ALL=C peek latin.tar | cut -f 1)" "caf%E9" "a key that is not UTF-8"
is "$(peek suffix.tar | tr '\t' '\n' | sed -n '3,4p' | cut -d' ' -f1 | paste -sd'|')" "my_notes__1_|a_.b" \
    "names of other members"
for bad in 0 1 2 3 4 5 6 7; do
    fails 65 "a key that cannot be, number $bad" peek badkey.$bad.tar
done

if command -v mandoc >/dev/null; then
    man() {
        mandoc -T ascii -O width=200 "$TOP/man/tensor-stream.5" | col -bx
    }
    man | sed -n '/^ *import io/,/^SEE ALSO/p' | sed '$d; s/^       //' >reader.py
    is "$("$python" reader.py <a.tar | cut -d' ' -f1-4 | tail -n 1)" "s_00003 (20, 30, 1)" \
        "the reader in tensor-stream(5)"
    head -c 9000 a.tar >cut.tar
    ok "which sees a cut" bash -c "! $python reader.py <cut.tar"
else
    skip "no mandoc" 2
fi

if "$python" -c 'import webdataset' 2>/dev/null; then
    ok "webdataset" "$python" - <<'END'
import webdataset
samples = list(webdataset.WebDataset("a.tar", shardshuffle=False).decode())
assert len(samples) == 3, len(samples)
sample = samples[0]
assert sample["__key__"] == "s_00001", sample["__key__"]
assert sample["image.npy"].shape == (20, 30, 1) and sample["mask.npy"].shape == (20, 30)
assert isinstance(sample["json"], dict)
END
else
    skip "webdataset is not installed"
fi
done_testing
