#!/bin/bash
# tile | stitch gives the image back, bit for bit.
. "$(dirname "$0")/../tap.sh"
plan 69
image() { "$BUILD/tests/helper/image" "$@"; }
cd "$TMP" || exit 1

# comes_back FILE TILE-OPTIONS...
comes_back() {
    local file=$1 out=back.${1##*.}
    shift
    tile "$@" "$file" | stitch -o "$out" 2>err && image same "$file" "$out" && [ ! -s err ]
}

kinds=("1 8 png" "3 8 png" "1 16 png" "3 16 png" "1 8 tif" "3 8 tif" "1 16 tif" "3 16 tif" "1 32 tif" "5 8 tif")
for kind in "${kinds[@]}"; do
    read -r channels bits extension <<<"$kind"
    for size in 1x1 3x200 97x61 225x224; do
        file=$size-$channels-$bits.$extension
        image make "${size%x*}" "${size#*x}" "$channels" "$bits" "$file"
        wrong=
        for options in "" "-s 32 -o 8" "-s 31 -o 50%" "-s 32 -o 0 --edge pad"; do
            # shellcheck disable=SC2086
            comes_back "$file" $options || wrong="$wrong [$options]"
        done
        is "$wrong" "" "$size, $channels channels of $bits bits, $extension"
    done
done

file=97x61-3-8.png
for edge in shift pad; do
    for size in 1 2 7 60 61 62 97 200; do
        wrong=
        for overlap in 0 1 35% 80%; do
            case $size:$overlap in 1:1 | 1:*% | 2:80%) continue ;; esac # would leave no step
            comes_back "$file" -s "$size" -o "$overlap" --edge "$edge" || wrong="$wrong $overlap"
        done
        is "$wrong" "" "tiles of $size, --edge $edge"
    done
done
ok "several sizes at once" comes_back "$file" -s 16,40,full -o 25%
ok "the full image" comes_back "$file" -s full
ok "windows that fit exactly" comes_back "$file" -s 1 -o 0 --edge fit

for i in 1 2 3 4; do tile -s 16 -o 4 --part $i/4 "$file" >"part$i.tar"; done
cat part?.tar | stitch -o joined.png
ok "parts, one after the other" image same "$file" joined.png

mkdir masks
cp "$file" a.png
for what in "8 labels png" "16 labels png" "32 labels tif" "8 binary png" "16 binary png"; do
    read -r bits kind extension <<<"$what"
    rm -f masks/*
    image make 97 61 1 "$bits" "masks/a_mask.$extension" "$kind"
    tile -s 20 -m masks a.png | stitch --mask -o "m.$extension"
    ok "masks: $what" image same "masks/a_mask.$extension" "m.$extension"
done
for format in png tiff; do
    tile "$file" | stitch -f $format >stdout.$format
    ok "standard output as $format" image same "$file" stdout.$format
done
tile - <"$file" | stitch >stdin.png
ok "standard input" image same "$file" stdin.png
tile -s 20 -r 40 97x61-1-8.tif | stitch -o larger.png
is "$(image info larger.png)" "97 61 1 8" "resized tiles come back in their size"
done_testing
