#!/bin/bash
# Flows beside classes: single cells by any network.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 31
cd "$TMP" || exit 1

synth -q -n 16 -s 64 -l fluorescence --instances --radius 7 --coverage 30 --noise 0.3 >cells.tar
synth -q -n 6 -s 64 -l fluorescence --radius 7 --coverage 30 --seed 9 >white.tar
stream() { "$BUILD/tests/helper/stream" "$@"; }
small=(-q -a "unet-s:width=8,levels=3" --flows -b 4 -t 1 --optimizer adamw --lr 0.01 -p none)

ok "trains" train "${small[@]}" --steps 80 -o w.safetensors cells.tar white.tar
ok "the weights say that they have flows" \
    grep -q 'architecture.unet-s:width=8,levels=3,flows=1' <(weights info w.safetensors)
# shellcheck disable=SC2016
ok "the loss of the flows falls" awk -F'\t' \
    'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "flow") c = i } NR == 2 { a = $c } END { exit !(c && $c < 0.8 * a) }' w.tsv

# Cells are scored while they are learned, and what came out is said.
train "${small[@]:1}" --steps 80 --val cells.tar -o v.safetensors cells.tar 2>said
is "$?" 0 "with a validation"
is "$(grep -c "^train: wrote 'v.safetensors' after 80 steps, .* on 16 held-out samples (the best of 20 epochs)$" said)" 1 \
    "the end is told"
# Told to three digits, and noted to four: as near as both are rounded; of epochs that have the same
# best DSC any.
sed -n 's/.*DSC \([0-9.]*\), AP50 \([0-9.]*\) on.*/\1\t\2/p' said >told
ok "with the DSC and AP50 of the best epoch: $(paste -sd' ' told)" awk -F'\t' '
    function near(a, b) { return a - b < 0.000551 && b - a < 0.000551 }
    FNR == NR { dsc = $1; ap = $2; next }
    FNR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
    { d[FNR] = $c["val_dsc"]; a[FNR] = $c["val_ap50"]; best = d[FNR] > best ? d[FNR] : best }
    END { for (i in d) if (d[i] == best && near(d[i], dsc) && near(a[i], ap)) exit 0; exit 1 }' told v.tsv
is "$(train -q -t 1 --init v.safetensors --steps 1 -b 4 -o follows.safetensors cells.tar &&
    weights info follows.safetensors | grep -E '^(architecture|channels)')" \
    "$(weights info v.safetensors | grep -E '^(architecture|channels)')" "--init alone says what the network is"
train -q -t 1 --normalize range -a unet-s:width=8,levels=3 --steps 1 -b 4 -o seen.safetensors cells.tar
train -q -t 1 --init seen.safetensors --steps 1 -b 4 -o follows.safetensors cells.tar
is "$(weights info follows.safetensors | grep '^sees')" "$(weights info seen.safetensors | grep '^sees')" \
    "and what it sees"

train -q -t 1 -a unet-s:width=8,levels=3 --init seen.safetensors --steps 1 -b 4 -o follows.safetensors cells.tar
is "$(weights info follows.safetensors | grep '^sees')" "$(weights info seen.safetensors | grep '^sees')" \
    "also where --arch is given"

predict -t 1 -m w.safetensors cells.tar >p.tar
ok "predict gives flows, too" grep -q 'flows float16 2x64x64' <(peek p.tar)
mkdir -p found by_hand parts
label -o found p.tar
label -m flows -o by_hand p.tar
ok "label follows them without being told" diff -r -x .morphoseg found by_hand
label -m components -o parts p.tar
ok "which are other cells than connected pixels" bash -c '! diff -rq -x .morphoseg found parts >/dev/null'

# Rims of tiles do not show.
synth -q -n 1 -s 110 -l fluorescence --radius 7 --seed 3 -o one/
tile -q -s 64 -o 16 one/images/*.png | predict -q -t 1 -m w.safetensors >grid.tar
sum() { stitch -q --prob -f tiff "$@" | sha256sum; }
is "$(sum grid.tar)" "$(sum -b gauss grid.tar)" "beside flows stitch weighs the middles of tiles more"
ok "which is not their mean" test "$(sum grid.tar)" != "$(sum -b mean grid.tar)"
stream noflows <grid.tar >classes.tar
is "$(sum classes.tar)" "$(sum -b mean classes.tar)" "classes alone are averaged"
stitch -q -o seen.png grid.tar
label -q -f png --min-size 1 --min-relative 0 --flow-threshold 0 -o cells.png grid.tar
ok "and no cell is where stitch has none" test "$(score -q -c released cells.png seen.png | awk -F'\t' \
    'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "precision") c = i } NR == 2 { print ($c > 0.9) }')" = 1

predict -q -t 1 --tta -m w.safetensors cells.tar >tta.tar
ok "the mean over views has the same arrows" /usr/bin/python3 - <<'P'
import struct, tarfile
def flows(path):
    t, all = tarfile.open(path), []
    for m in t:
        if m.name.endswith("flows.npy"):
            b = t.extractfile(m).read()
            all += struct.unpack("<%de" % (2 * 64 * 64), b[len(b) - 2 * 2 * 64 * 64:])
    return all
a, b = flows("p.tar"), flows("tta.tar")
dot = lambda x, y: sum(p * q for p, q in zip(x, y))
# Arrows that were turned wrongly would cancel out.
likeness = dot(a, b) / (dot(a, a) * dot(b, b)) ** 0.5
print(likeness)
assert likeness > 0.75
P

# Flows away from the border, for cells of any shape.
ridges=("${small[@]}")
ridges[3]=--flow-target=distance
ok "trains on distances" train "${ridges[@]}" --steps 80 --val cells.tar -o d.safetensors cells.tar white.tar
ok "the weights say so" grep -q 'architecture.unet-s:width=8,levels=3,flows=2' <(weights info d.safetensors)
predict -t 1 --keep-image -m d.safetensors cells.tar >d.tar
is "$(tar -xOf d.tar --wildcards '*.json' | grep -o '"cells":{"flows":"distance"}' | wc -l)" 16 "and each tile"
is "$(predict -t 1 -m w.safetensors d.tar 2>/dev/null | tar -xO --wildcards '*.json' | grep -c distance)" 0 \
    "until another network has seen it"
is "$(stream noplace <cells.tar | predict -t 1 -m d.safetensors | tar -xO --wildcards '*.json' | grep -o '"flows":"distance"' | wc -l)" 16 \
    "also where tiles had no place"
mkdir -p ridges
ok "label knows by itself" label -o ridges d.tar
is "$(train -q -t 1 --init d.safetensors --flows --steps 1 -b 4 -o follows.safetensors cells.tar &&
    weights info follows.safetensors | grep ^architecture)" "$(weights info d.safetensors | grep ^architecture)" \
    "--init goes on with them"
fails 64 "but not to others" train -q -t 1 --init d.safetensors --flow-target diffusion --steps 1 -b 4 -o no.safetensors cells.tar

# What a run of flows goes on with, and what it refuses.
# shellcheck disable=SC2317 # called by ok
run() {
    train "${small[@]}" --vos --vos-start 1 --vos-sample 200 --vos-select 20 --vos-queue 50 --loss norm \
        --steps 14 -o "$1.safetensors" "${@:2}" cells.tar white.tar
}
ok "with outliers" run whole
(timeout -s TERM 1.5 bash -c 'exec "$@"' - train "${small[@]}" --vos --vos-start 1 --vos-sample 200 --vos-select 20 \
    --vos-queue 50 --loss norm --steps 14 -o parts.safetensors --resume cells.tar white.tar) 2>/dev/null
ok "resumes" run parts --resume
ok "to the same weights" weights diff -q whole.safetensors parts.safetensors
ok "starts from weights without flows" bash -c "train -q -a unet-s:width=8,levels=3 -b 4 -t 1 --steps 2 -o plain.safetensors cells.tar &&
    train -q -a unet-s:width=8,levels=3,flows=1 --init plain.safetensors -b 4 -t 1 --steps 2 -o more.safetensors cells.tar"
ok "and they are the start of a network without" sh -c "
    train -q -a unet-s:width=8,levels=3 --init more.safetensors -b 4 -t 1 --steps 1 -o less.safetensors cells.tar"
fails 65 "masks in black and white alone teach no flows" train "${small[@]}" --steps 2 -o no.safetensors white.tar
done_testing
