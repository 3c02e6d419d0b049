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
    skip "no mandoc"
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
