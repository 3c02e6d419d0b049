#!/bin/bash
# Cellpose against the published one, where Python has it:
# PYTHON=/path/to/python with `pip install cellpose==3.1.1.1`.
. "$(dirname "$0")/../tap.sh"
python=${PYTHON:-python3}
for module in numpy torch cellpose.resnet_torch; do
    "$python" -c "import $module" 2>/dev/null || skip_all "$python has no $module"
done
plan 4
cd "$TMP" || exit 1

synth -q -n 6 -s 300x260 -l fluorescence --contrast 3 --radius 9 --instances --tiff -o cells || exit 1
tile -s full --normalize percentile -m cells/masks cells/images/*.tif >cells.tar || exit 1
ok "a network of ours" train -q -a cellpose:width=8 -b 8 -t 1 --crop 64 --diameter 17 --optimizer adamw \
    --lr 0.01 --schedule cosine --clip 5 --repeat 27 --steps 120 --size-model -o w.safetensors cells.tar
ok "its answers at a diameter" bash -c "predict -m w.safetensors -t 1 --keep-image --diameter 23 cells.tar >at23.tar"
ok "and at its own estimate" bash -c "predict -m w.safetensors -t 1 --keep-image cells.tar >estimated.tar"

ok "are those of the published Cellpose" "$python" - <<'EOF'
import io, json, struct, tarfile
import numpy as np, torch
from cellpose import dynamics, models, resnet_torch

followed = dynamics.get_masks_torch # PyTorch below 2 wants long indices
dynamics.get_masks_torch = lambda p, *rest, **named: followed(p.long(), *rest, **named)

def safetensors(path):
    f = open(path, "rb").read()
    n = struct.unpack("<Q", f[:8])[0]
    header = json.loads(f[8:8 + n])
    types = {"F32": np.float32, "F64": np.float64, "I64": np.int64}
    return {k: np.frombuffer(f[8 + n + h["data_offsets"][0]:8 + n + h["data_offsets"][1]],
                             types[h["dtype"]]).reshape(h["shape"])
            for k, h in header.items() if k != "__metadata__"}

def samples(path):
    out = {}
    for member in tarfile.open(path):
        key, _, rest = member.name.partition(".")
        data = tarfile.open(path).extractfile(member).read()
        if rest == "json":
            out.setdefault(key, {})["json"] = json.loads(data)
        elif rest.endswith("npy"):
            out.setdefault(key, {})[rest[:-4]] = np.load(io.BytesIO(data))
    return out

w = safetensors("w.safetensors")
size = {k[len("size_model."):]: v.copy() for k, v in w.items() if k.startswith("size_model.")}
net = resnet_torch.CPnet(nbase=[2, 8, 16, 32, 64], nout=3, sz=3)
state = {k: torch.from_numpy(v.copy()) for k, v in w.items() if not k.startswith("size_model.")}
net.load_state_dict({k: v for k, v in state.items() if k in net.state_dict()}, strict=False)
missing = set(net.state_dict()) - set(state)
assert not missing, missing
net.eval()

class Wide(torch.nn.Module):
    """The published evaluation wants styles of 256."""
    def __init__(self, net):
        super().__init__()
        self.net = net
    nout, mkldnn = 3, False
    device = property(lambda self: torch.device("cpu"))
    def forward(self, x):
        y, style = self.net(x)[:2]
        return y, torch.nn.functional.pad(style, (0, 256 - style.shape[1]))

for name in ("A", "smean"):
    size[name] = np.pad(size[name], (0, 256 - size[name].size))
net = Wide(net).eval()

# The published evaluation, whose constructors would look for files on the network.
cp = models.CellposeModel.__new__(models.CellposeModel)
cp.net, cp.net_ortho, cp.device, cp.nchan, cp.backbone = net, None, net.device, 2, "default"
cp.diam_mean, cp.diam_labels = float(w["diam_mean"][0]), float(w["diam_mean"][0])
cp.pretrained_model = "ours"
sz = models.SizeModel.__new__(models.SizeModel)
sz.cp, sz.device, sz.pretrained_size, sz.params = cp, net.device, "ours", size
sz.diam_mean = float(size["diam_mean"].reshape(-1)[0])
size["ymean"] = float(size["ymean"].reshape(-1)[0])

def seen(s):
    scale = s["json"]["normalisation"]
    x = (s["image"][..., 0].astype(np.float32) - scale["offset"]) * scale["gain"]
    return np.stack([x, np.zeros_like(x)], -1).astype(np.float32)

for s in samples("at23.tar").values():
    dP, cellprob, _ = cp._run_net(seen(s)[None], rescale=cp.diam_mean / 23)
    theirs = np.concatenate([dP[:, 0], cellprob])
    worst = np.abs(theirs - s["logits"]).max()
    print("# flows and logits, from", theirs.min(), "to", theirs.max(), "differ by", worst)
    assert worst < 1e-3
for s in samples("estimated.tar").values():
    # its own rescale=1 stands for images at their size
    _, _, style = cp._run_net(seen(s)[None], rescale=1.0, resample=False)
    first = float(sz._size_estimation(np.array(style)))
    diam, _ = sz.eval(seen(s), channels=None, channel_axis=2, normalize=False)
    print("# diameter", first, "then", float(diam), "ours", s["json"]["cells"]["diameter"])
    assert abs(float(diam) - s["json"]["cells"]["diameter"]) < 0.05 * float(diam)
EOF
done_testing
