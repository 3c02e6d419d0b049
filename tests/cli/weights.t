#!/bin/bash
. "$(dirname "$0")/../tap.sh"
plan 41
cd "$TMP" || exit 1

# A safetensors file of two tensors, by hand.
header='{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"n":{"dtype":"I64","shape":[],"data_offsets":[16,24]}}'
make_file() { # NAME LAST-FLOAT-BYTES
    printf "\\x$(printf %x ${#header})"'\0\0\0\0\0\0\0%s' "$header" >"$1"
    printf '\0\0\x80\x3f\0\0\0\x40\xdb\x0f\x49\x40%b\5\0\0\0\0\0\0\0' "$2" >>"$1"
}
make_file a.safetensors '\xc3\xf5\x48\x40'
make_file b.safetensors '\xc3\xf5\x48\xc0'
make_file nan.safetensors '\0\0\xc0\x7f'
make_file big.safetensors '\0\x50\xc3\x47' # 100000.0
sum=$(sha256sum <a.safetensors | cut -d ' ' -f 1)

is "$(weights info a.safetensors | tr '\n' ';')" \
    "format	safetensors;sha256	$sum;tensors	2;parameters	4;;w	float32	(2, 2);n	int64	();" "info"
is "$(weights info - <a.safetensors | sed -n 2p)" "sha256	$sum" "info of standard input"
if command -v python3 >/dev/null; then
    is "$(weights info --json a.safetensors | python3 -c '
import json, sys
i = json.load(sys.stdin)
print(i["format"], i["parameters"], i["tensors"][0]["shape"], i["tensors"][1]["dtype"])')" \
        "safetensors 4 [2, 2] int64" "info as JSON"
else
    skip "no python3"
fi

ok "convert" weights convert --set arch=unetpp --set seed=1 --set seed=2 a.safetensors c.safetensors
is "$(weights info c.safetensors | sed -n '5,6p' | tr '\n' ';')" "arch	unetpp;seed	2;" "metadata is set"
ok "diff of equal weights" weights diff a.safetensors c.safetensors
is "$(weights diff a.safetensors b.safetensors; echo $?)" \
    "w	float32	(2, 2)	float32	(2, 2)	6.28000021
1" "diff of weights that differ"
ok "convert to bfloat16" weights convert --dtype bf16 a.safetensors bf16.safetensors
is "$(weights diff a.safetensors bf16.safetensors)" \
    "w	float32	(2, 2)	bfloat16	(2, 2)	0.000967741013" "types differ, values are rounded"
ok "convert to float16" weights convert --dtype f16 a.safetensors f16.safetensors
ok "and back" weights convert --dtype f32 f16.safetensors f32.safetensors
is "$(weights diff a.safetensors f32.safetensors | cut -f 6)" "0.000967741013" "float16 and back loses as much as it should"
ok "the mean of two" weights convert --mean b.safetensors a.safetensors mean.safetensors
is "$(weights diff a.safetensors mean.safetensors)" "w	float32	(2, 2)	float32	(2, 2)	3.1400001" "halfway"
ok "of three, in float16" weights convert --mean b.safetensors --mean a.safetensors f16.safetensors mean3.safetensors
is "$(weights diff a.safetensors mean3.safetensors | cut -f 5,6)" "(2, 2)	2.0931251" "a third of the way, rounded"
ok "more tensors" weights convert --add x.=a.safetensors a.safetensors more.safetensors
fails 65 "the mean of weights that have others" weights convert --mean more.safetensors a.safetensors no.safetensors
fails 65 "what float16 cannot hold" weights convert --dtype f16 big.safetensors no.safetensors
ok "leaves nothing behind" test ! -e no.safetensors
is "$(weights convert a.safetensors - | weights info - | tail -n 2 | cut -f 1 | tr '\n' ' ')" "n w " \
    "through a pipe, larger elements first"

ok "verify" weights verify --sha256 "$sum" a.safetensors
fails 65 "another SHA-256" weights verify --sha256 "${sum/?/z}" a.safetensors
fails 65 "a NaN" weights verify nan.safetensors
head -c 130 a.safetensors >cut.safetensors
fails 65 "a cut file" weights verify cut.safetensors
fails 66 "no such file" weights verify absent.safetensors
fails 66 "a folder" weights verify .
fails 64 "no command" weights
fails 64 "a wrong command" weights look a.safetensors
fails 64 "too many files" weights info a.safetensors b.safetensors
fails 64 "a wrong setting" weights convert --set =1 a.safetensors d.safetensors
fails 74 "a full disk" weights convert a.safetensors /dev/full
fails 73 "no such folder" weights convert a.safetensors no/such.safetensors
is "$(weights info a.safetensors 2>err >/dev/full; echo $?; cat err)" \
    "74
weights: write 'standard output': No space left on device" "a full disk under standard output"

# .npz, when NumPy is there to make one
python=$(for p in /usr/bin/python3 python3; do $p -c 'import numpy' 2>/dev/null && echo $p && break; done)
if [ -n "$python" ]; then
    "$python" - <<'EOF'
import numpy as np
a = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
t = {"kernel/w": a, "fortran": np.asfortranarray(a), "big": a.astype(">f4"), "half": a.astype("f2"),
     "scalar": np.float64(2.5), "none": np.zeros((0, 3), np.int32), "t": a.transpose(2, 0, 1).copy()}
np.savez("s.npz", **t)
np.savez_compressed("d.npz", **t)
EOF
    ok "a stored .npz" weights convert s.npz s.safetensors
    ok "a deflated .npz" weights convert d.npz d.safetensors
    ok "are the same" weights diff s.safetensors d.npz
    is "$(weights info s.npz | sed -n '6,12p' | tr '\n' ';')" \
        "kernel/w	float32	(2, 3, 4);fortran	float32	(2, 3, 4);big	float32	(2, 3, 4);half	float16	(2, 3, 4);scalar	float64	();none	int32	(0, 3);t	float32	(4, 2, 3);" \
        "names and shapes are NumPy's"
    ok "values are NumPy's" "$python" - <<'EOF'
import json, numpy as np
d = open("s.safetensors", "rb").read()
n = int.from_bytes(d[:8], "little")
h = json.loads(d[8:8 + n])
f = np.load("s.npz")
types = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I32": "<i4"}
assert set(h) == set(f.files)
for k, t in h.items():
    b, e = t["data_offsets"]
    got = np.frombuffer(d[8 + n + b:8 + n + e], types[t["dtype"]]).reshape(t["shape"])
    assert np.array_equal(got, f[k]), k
EOF
    head -c -1 s.npz >cut.npz
    fails 65 "a cut .npz" weights verify cut.npz
    sed 's/descr/dexcr/' s.npz >bad.npz
    fails 65 "a changed .npz" weights verify bad.npz
else
    skip "no NumPy" 7
fi
done_testing
