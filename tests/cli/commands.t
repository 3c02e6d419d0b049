#!/bin/bash
# Every command of README.md, examples/*.md and the EXAMPLES of the man pages, word for word, in
# a folder that has what they name.  train takes one step; what needs files that only others can
# give, or is run by another test, is named below.
. "$(dirname "$0")/../tap.sh"
cd "$TMP" || exit 1
export BIN=$TOP/build/bin
image() { "$BUILD/tests/helper/image" "$@"; }

# ---- commands ----

elsewhere() { # why a command is not run here
    case $1 in
    *4000x3000* | *"-n 400"*) echo "too many and too large images for a test" ;;
    make\ *) echo "make: tests/cli/pipelines.t, examples.t" ;;
    *epoch_149.pth* | *checkpoint.pth* | *cyto3*) echo "a checkpoint of others: tests/golden/pth.t" ;;
    *runs/nt2/*) echo "runs of the pipelines: tests/cli/table.t" ;;
    *rsync* | *sbatch* | *ssh\ *) echo "other hosts: tests/cli/examples.t" ;;
    *read_stream.py*) /usr/bin/python3 -c 'import numpy' 2>/dev/null || echo "no NumPy" ;;
    man\ *) echo "to look at" ;;
    esac
}

whole_lines() { # lines that end in | or \ go on
    sed -E ':a; /[|\\]$/ { N; s/\\?\n */ /; ba }'
}

of_readme() {
    sed -n '/^$/p; /^    /{s/^    //; /^#/d; /^make /{s/  *#.*//}; p}; /^## The default model/q' "$1" | whole_lines |
        grep -E "^$|^(${programs// /|}|parallel|make|man) "
}

of_examples() { # `command`, which may go over lines
    perl -0ne 'while (/`([^`]+)`/g) { my $c = $1; $c =~ s/\s+/ /g; print "$c\n" }' "$1" |
        grep -E "^(${programs// /|}|parallel) .* "
}

of_manual() {
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$1" |
        sed -nE '/^\.Bd/,/^\.Ed/{/^\./!p}; s/^\.Dl //p' | sed 's/^\$ //; s/\\-/-/g; s/\\e/\\/g; s/\\(aq/'"'"'/g' | whole_lines
}

# ---- what they name ----

scratch() {
    synth -q -n 3 -s 250x230 --radius 12 --seed 11 -o drawn && synth -q -n 1 -s 620x460 --seed 12 -o large || return 1
    mkdir -p more images imgs masks numbered test predicted truth predictions plate1 plate2 rois data runs
    local n=0 png stem
    for png in drawn/images/*.png; do
        n=$((n + 1)) stem=img$n
        tile -q -s full "$png" | stitch -q --image -o images/$stem.tif
        cp "drawn/masks/${png##*/}" masks/$stem.png
        for folder in imgs test plate1; do cp images/$stem.tif $folder; done
        for folder in truth predicted predictions; do cp masks/$stem.png $folder; done
        label -q --rois rois/$stem.zip -o scrap.tif masks/$stem.png
        label -q -m components -o numbered/$stem.png masks/$stem.png
        image_of_coco+=("masks/$stem.png")
    done
    cp images/img1.tif plate2/other.tif
    cp drawn/images/*1.png images/other.png
    label -q -m components -o masks/other.png masks/img1.png
    cp images/img1.tif more
    cp images/other.png more; echo images/img1.tif >done.txt
    label -q --coco livecell_coco_test.json -o scrap/ "${image_of_coco[@]}"
    tile -q -s full large/images/*.png | stitch -q --image -o img.tif; cp img.tif slide.tif
    cp large/masks/*.png mask.png; cp mask.png truth.png
    label -q -m components -o cells.tif mask.png; cp cells.tif truth.tif; cp cells.tif labels.tif
    label -q -m components -o mask.ome.tif mask.png
    cp "$TOP/data/default.safetensors" data; cp data/default.safetensors w.safetensors
    cp w.safetensors half.safetensors; cp w.safetensors mine.safetensors
    "$BUILD/tests/helper/slide" drawn/images/*1.png slide.svs 0.25
    tile -q -m masks images/*.tif >all.tar
    for tar in tiles a shard-1 shard-2; do cp all.tar $tar.tar; done
    mkdir -p results examples; cp "$TOP"/examples/* examples
    for run in 1 2 3; do score predictions truth >run$run.tsv; done
    label -q -m components -T results/cells.tsv -o scrap2/ "${image_of_coco[@]}"
    rm -rf scrap* drawn large
}

# A run of train takes a step: the same words, and less patience.
mkdir bin
cat >bin/train <<END
#!/bin/sh
exec "$(command -v train)" "\$@" --steps 1 -b 1 -q
END
chmod +x bin/train
ln -s /usr/bin/python3 bin/python3

# ---- running ----

programs=$(printf "%s\n" "$TOP"/man/*.1 | sed 's|.*/||; s|\.1$||' | tr '\n' ' ')
programs=${programs% }
mkdir inputs
if ! (cd inputs && scratch) >made 2>&1; then
    cat made
    exit 1
fi

fresh() { rm -rf work && cp -r inputs work; }

run_all() { # FILE COMMANDS, a line each; an empty line begins another recipe
    fresh
    [[ $1 != */rasterize.1 && $1 != */suggest.1 ]] || rm -rf work/masks
    local command why status
    while IFS= read -r command <&3; do
        [ -n "$command" ] || { fresh && continue; }
        [[ $1 != */segment.1 ]] || fresh
        why=$(elsewhere "$command")
        if [ -n "$why" ]; then
            skip "${1##*/}: $command: $why"
            continue
        elif [[ $command == *parallel* ]] && ! command -v parallel >/dev/null; then
            skip "${1##*/}: GNU parallel is not installed"
            continue
        fi
        (cd work && PATH=$TMP/bin:$PATH bash -o pipefail -c "$command") >out 2>message </dev/null
        status=$?
        is "$status $(grep -vE '^(step|epoch|tile|predict|label|gallery) |left out|segment: look|progress' message | head -n 3)" "0 " \
            "${1##*/}: $command"
    done 3<"$2"
}

files=("$TOP/README.md" "$TOP"/examples/*.md "$TOP"/man/*.1)
mkdir commands
for i in "${!files[@]}"; do
    file=${files[i]}
    [ -z "${ONLY-}" ] || [[ $file =~ $ONLY ]] || continue
    case $file in
    */examples/*.md) of_examples "$file" ;;
    *.md) of_readme "$file" ;;
    *) of_manual "$file" ;;
    esac >"commands/$i"
done
total=$(cat commands/* | grep -c .)
plan $((total + 1))
ok "commands were found ($total)" test "$total" -ge "$([ -n "${ONLY-}" ] && echo 1 || echo 60)"
for i in "${!files[@]}"; do
    [ ! -f "commands/$i" ] || run_all "${files[i]}" "commands/$i"
done
done_testing
