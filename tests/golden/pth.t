#!/bin/bash
# PyTorch checkpoints against what torch.save put into them.
. "$(dirname "$0")/../tap.sh"
pth=$TOP/tests/golden/pth
command -v python3 >/dev/null || skip_all "no python3"
plan 14
cd "$TMP" || exit 1

# compare FILE NAMES: the safetensors FILE against expected.json
cat >compare.py <<'EOF'
import json, struct, sys

def read(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])
    header.pop("__metadata__", None)
    for name, t in header.items():
        begin, end = t["data_offsets"]
        yield name, t["dtype"], t["shape"], data[8 + n + begin:8 + n + end]

codes = {"F32": "f", "F64": "d", "F16": "e", "BF16": "H", "I64": "q", "BOOL": "?"}
names = {"F32": "float32", "F64": "float64", "F16": "float16", "BF16": "bfloat16", "I64": "int64",
         "BOOL": "bool"}
expected = json.load(open(sys.argv[2]))
seen = set()
for name, dtype, shape, data in read(sys.argv[1]):
    e = expected[name]
    values = [v[0] for v in struct.iter_unpack("<" + codes[dtype], data)]
    if dtype == "BF16":
        values = [struct.unpack("<f", struct.pack("<I", v << 16))[0] for v in values]
    want = e["values"] if isinstance(e["values"], list) else [e["values"]]
    assert e["dtype"].replace("torch.", "") == names[dtype], (name, e["dtype"], dtype)
    assert e["shape"] == shape, (name, e["shape"], shape)
    assert [float(v) for v in want] == [float(v) for v in values], name
    seen.add(name)
assert seen == set(expected), set(expected) - seen
EOF

for name in state_dict state_dict_legacy checkpoint_nested; do
    ok "$name is read" weights convert "$pth/$name.pth" "$name.safetensors"
    ok "$name has what was saved" python3 compare.py "$name.safetensors" "$pth/expected.json"
done
is "$(weights info "$pth/dataparallel_prefix.pth" | tail -n 2 | cut -f 1 | tr '\n' ' ')" \
    "weight bias " "the prefix of DataParallel is removed"
for name in evil_reduce whole_module truncated; do
    fails 65 "$name is refused" weights convert "$pth/$name.pth" "$name.safetensors"
    ok "$name leaves nothing behind" test ! -e "$name.safetensors"
done
ok "nothing was executed" test ! -e /tmp/pwned_by_pth
done_testing
