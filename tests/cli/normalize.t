#!/bin/bash
# What a network sees does not depend on the tile.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 10
cd "$TMP" || exit 1
json() { tar xOf "$1" --wildcards '*.json' | grep -o "\"$2\":{[^}]*}" | sort -u; }

mkdir train
synth -q -n 8 -s 96 -l fluorescence --radius 8 --coverage 25 -o train/
synth -q -n 1 -s 300x260 -l fluorescence --radius 8 --coverage 25 --seed 5 -o one/
image=$(echo one/images/*)
tile -q -s 96 -m train/masks train/images/* >t.tar
# shellcheck disable=SC2054 # commas of one option
small=(-q -a unet-s:width=8,levels=3,norm=0 -b 4 -t 1 --optimizer adamw --lr 0.01 -p none --steps 60)
ok "trains on ranges" train "${small[@]}" --normalize range -o range.safetensors t.tar
ok "the weights say so" grep -q '^sees.range' <(weights info range.safetensors)
train "${small[@]}" -o plain.safetensors t.tar

# The range is that of the whole image, in every tile the same.
tile -q -s 64 "$image" >a.tar
tile -q -s 112 -o 40 "$image" >b.tar
is "$(json a.tar range)" "$(json b.tar range)" "two grids note one range"
is "$(json a.tar range | wc -l)" 1 "for all tiles"
is "$(tile -q -s 64 - <"$image" | tar xOf - --wildcards '*.json' | grep -o '"range":{[^}]*}' | sort -u)" \
    "$(json a.tar range)" "an image from a pipe has it, too"
is "$(tile -q -s 64 --normalize none "$image" | tar xOf - --wildcards '*.json' | grep -c '"range"')" 0 "none asks for no pass"
is "$(tile -q -s 64 --normalize percentile "$image" | tar xOf - --wildcards '*.json' | grep -o '"normalisation":{[^}]*}' | sort -u | wc -l)" 1 \
    "percentile gives constants"

masks_of() { predict -q -t 1 -m "$1" "$2" | stitch -q -o "$3"; }
masks_of range.safetensors a.tar auto.png
tile -q -s 64 --normalize percentile "$image" >percentile.tar
masks_of range.safetensors percentile.tar told.png
ok "the network sees what percentile would tell it" cmp auto.png told.png
masks_of plain.safetensors a.tar plain.png
tile -q -s 64 --normalize none "$image" >none.tar
masks_of plain.safetensors none.tar none.png
ok "another network is left alone" cmp plain.png none.png

# A tile alone, without a range: that of itself.
tile -q -s full "$image" >whole.tar
tile -q -s full --normalize none "$image" >unknown.tar
masks_of range.safetensors whole.tar whole.png
masks_of range.safetensors unknown.tar unknown.png
ok "a stream without ranges: those of the samples" cmp whole.png unknown.png
done_testing
