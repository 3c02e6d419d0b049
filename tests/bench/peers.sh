#!/bin/bash
# With whom to compare: tests/bench/peers.sh FOLDER fetches the published networks and makes
# a Python with the newest PyTorch, ONNX Runtime and OpenVINO (some gigabytes); then
# PEERS=FOLDER make bench.  Nothing of them becomes part of this project.
set -eu
folder=${1:?usage: peers.sh FOLDER}
mkdir -p "$folder"
cd "$folder"

clone() { # OWNER/NAME [TAG]
    [ -d "${1#*/}" ] || git clone --quiet --depth 1 ${2:+--branch "$2"} "https://github.com/$1"
}

clone Beckschen/TransUNet
clone 4uiiurz1/pytorch-nested-unet
clone HuCaoFighting/Swin-Unet
clone ZJUGiveLab/ScaleFormer
clone MouseLand/cellpose v3.1.1.3
[ -x python/bin/python ] || python3 -m venv python
python/bin/python -m pip install --quiet --upgrade torch numpy scipy einops onnx onnxruntime openvino
