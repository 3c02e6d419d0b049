#!/bin/bash
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 51
cd "$TMP" || exit 1
NETWORK=$BUILD/tests/helper/network
SMALL=unetpp:levels=1,width=4

"$NETWORK" $SMALL 2 3 1 net.safetensors || exit 1
synth -n 2 -s 100x70 --seed 3 -o in || exit 1
tile -s 32 -o 8 -m in/masks in/images/*.png >tiles.tar || exit 1
predict -m net.safetensors tiles.tar >prob.tar || exit 1

members() { # STREAM: what the first sample has
    peek "$1" | grep -v '^#' | head -n 1 | cut -f 2- | tr '\t' '\n' | sed 's/ *[0-9]* bytes//' | sort | paste -sd ' '
}
is "$(members prob.tar)" "json mask uint8 32x32 prob float16 2x32x32" "prob is added, the image goes, the mask stays"
is "$(peek prob.tar | grep -vc '^#')" "$(peek tiles.tar | grep -vc '^#')" "every tile comes out"
is "$(peek prob.tar | grep -v '^#' | cut -f 1)" "$(peek tiles.tar | grep -v '^#' | cut -f 1)" "in order"
hash=$(sha256sum net.safetensors | cut -d ' ' -f 1)
ok "provenance names the weights" grep -aq "$hash" prob.tar

samples() { # STREAM: without the provenance
    # shellcheck disable=SC2016
    tar xf "$1" --to-command='case $TAR_FILENAME in __*) ;; *) sha256sum;; esac' | sort | sha256sum
}
predict -m net.safetensors -b 1 -t 1 <tiles.tar >one.tar
largest_difference() { # STREAM STREAM: of prob and uncertainty
    /usr/bin/python3 - "$@" <<'END'
import io, sys, tarfile
import numpy as np
def load(path):
    with tarfile.open(path) as tar:
        return {m.name: np.load(io.BytesIO(tar.extractfile(m).read())).astype(float)
                for m in tar if m.name.endswith("prob.npy")}
a, b = map(load, sys.argv[1:])
assert a.keys() == b.keys() and a
print("same" if max(abs(a[k] - b[k]).max() for k in a) < 0.002 else "different")
END
}
if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    is "$(largest_difference prob.tar one.tar)" same "the batch size changes nothing"
    tile -s 32 -o 8 --rgb in/images/*.png | predict -m net.safetensors >rgb.tar
    is "$(largest_difference prob.tar rgb.tar)" same "gray is repeated for a network that sees color"
else
    skip "no NumPy"
    skip "no NumPy"
fi

predict -m net.safetensors --keep-image --logits --uncertainty entropy --tta tiles.tar >all.tar
is "$(members all.tar)" \
    "image uint8 32x32x1 json logits float32 2x32x32 mask uint8 32x32 prob float16 2x32x32 uncertainty float16 32x32" \
    "all that can be asked for"

train -q -a unet-s:width=8,levels=2 -b 4 -t 1 --steps 3 --vos --vos-start 0 --vos-sample 100 --vos-select 10 \
    --vos-queue 100 -o vos.safetensors tiles.tar
for measure in entropy mahalanobis energy tta; do
    ok "--uncertainty $measure" predict -m vos.safetensors --uncertainty $measure -o $measure.tar tiles.tar
    is "$(members $measure.tar)" "json mask uint8 32x32 prob float16 2x32x32 uncertainty float16 32x32" "adds it"
done
is "$(for m in entropy mahalanobis energy tta; do samples $m.tar; done | sort -u | wc -l)" 4 "they differ"
mkdir maps && stitch --uncertainty -o maps mahalanobis.tar
is "$(find maps -name '*.png' | wc -l)" "$(find in/images -name '*.png' | wc -l)" "stitch makes pictures of it"
predict -m vos.safetensors --tta --uncertainty mahalanobis -o mean.tar tiles.tar
ok "with --tta it is the mean over the views" test "$(samples mean.tar)" != "$(samples mahalanobis.tar)"
fails 65 "mahalanobis without Gaussians" predict -m net.safetensors --uncertainty mahalanobis tiles.tar
fails 64 "an unknown measure" predict -m net.safetensors --uncertainty guess tiles.tar

tile -s 33 -o 8 in/images/synth_00001.png | predict -m net.safetensors >odd.tar
is "$(members odd.tar)" "json prob float16 2x33x33" "sides that the network cannot take are padded and cut"
cp in/images/synth_00001.png wide.png
tile -s 32,48 -o 8 wide.png | predict -m net.safetensors | peek >sizes.txt
ok "tiles of several sizes in a stream" grep -q 48x48 sizes.txt
MORPHOSEG_MODEL=net.safetensors predict tiles.tar >env.tar
is "$(samples env.tar)" "$(samples prob.tar)" "MORPHOSEG_MODEL names the default model"
ok "two runs give the same samples" test "$(samples prob.tar)" = \
    "$(predict -m net.safetensors tiles.tar >again.tar && samples again.tar)"
tile -s 32 -o 8 in/images/*.png | head -c 512 >cut.tar

fails 66 "weights that are not there" predict -m none.safetensors tiles.tar
fails 66 "a stream that is not there" predict -m net.safetensors none.tar
fails 65 "a stream that is cut at once" predict -m net.safetensors cut.tar
head -c 20000 tiles.tar >cut.tar
fails 65 "a stream that is cut later" predict -m net.safetensors -o out.tar cut.tar
ok "nothing half-written is left" test ! -e out.tar
fails 65 "weights of another architecture" predict -m net.safetensors -a unetpp:levels=1,width=5 tiles.tar
fails 64 "an unknown architecture" predict -m net.safetensors -a nix tiles.tar
fails 64 "an unknown option of the architecture" predict -m net.safetensors -a $SMALL,nix=1 tiles.tar
fails 64 "an option out of range" predict -m net.safetensors -a unetpp:levels=9 tiles.tar
fails 64 "an unknown device" predict -m net.safetensors -d tpu tiles.tar
fails 64 "a CUDA device that is not there" predict -m net.safetensors -d cuda:99 tiles.tar
fails 64 "fp16 on a CPU" predict -m net.safetensors -p fp16 tiles.tar

# Precision: MORPHOSEG_ISA makes any processor one without bfloat16.
lesser() {
    MORPHOSEG_ISA=avx2 "$@"
}
fails 64 "bf16 on a processor that has not got it" lesser predict -m net.safetensors -p bf16 tiles.tar
ok "says why and what to do" grep -Eq "option '-p': bf16 .*(AVX512_BF16).*use auto" .err
fails 64 "before the weights are looked for" lesser predict -m none.safetensors -p bf16 tiles.tar
unread() { # of tiles.tar after the command
    { "$@" 2>/dev/null; wc -c; } <tiles.tar
}
is "$(unread lesser predict -m net.safetensors -p bf16)" "$(wc -c <tiles.tar)" "nothing is read before that"
ok "auto is fp32 there" lesser predict -m net.safetensors -p auto -o auto.tar tiles.tar
lesser predict -m net.safetensors -o fp32.tar tiles.tar
is "$(samples auto.tar)" "$(samples fp32.tar)" "to the bit"
LC_ALL=C sed 's/"precision":"fp32"/"precision":"bf16"/' vos.safetensors >half.safetensors
lesser predict -m half.safetensors -p auto tiles.tar 2>said >half.tar
is "$(grep -c "'half.safetensors' was trained in bf16" said) $(wc -l <said)" "1 1" "weights made in bf16 run in fp32, which is said once"
lesser predict -m vos.safetensors -p auto tiles.tar 2>said >other.tar
is "$(cat said)" "" "others run silently"
if [ "$(uname -m)" = x86_64 ]; then
    is "$(DNNL_VERBOSE=1 MORPHOSEG_ISA=sse4 predict -m net.safetensors tiles.tar | grep -ao 'isa:Intel SSE4.1')" \
        "isa:Intel SSE4.1" "oneDNN keeps to it too"
else
    skip "no levels on this kind of processor"
fi
fails 64 "a processor level of no name" env MORPHOSEG_ISA=best predict -m net.safetensors tiles.tar
head -c 3000 net.safetensors >cut.safetensors
fails 65 "weights that are cut" predict -m cut.safetensors tiles.tar
fails 65 "samples without images" predict -m net.safetensors prob.tar
predict -m net.safetensors tiles.tar 2>message >/dev/full
is "$?" 74 "a full disk"
ok "which is said" grep -q '^predict: write' message
tile -s 32 -o 24 in/images/*.png | predict -m net.safetensors --logits | head -c 10 >/dev/null
is "${PIPESTATUS[1]}" 141 "a closed pipe ends it quietly"
done_testing
