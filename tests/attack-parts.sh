# shellcheck shell=bash
# shellcheck disable=SC2154 # how much: tests/attack
# What tests/attack is made of: its inputs, and the jobs of each part, a line
# "PART NAME COMMAND" each in $TMP/jobs.  COMMAND prints a row of tests/helper/barrage.
barrage=$BUILD/tests/helper/barrage

job() { # PART NAME COMMAND
    printf '%s %s %s\n' "$1" "$2" "${*:3}" >>"$TMP/jobs"
}

make_inputs() {
    : >"$TMP/jobs"
    mkdir "$TMP/in" && cd "$TMP/in" || return 1
    synth -q -n 2 -s 16 --seed 3 -o drawn && mv drawn/images images && mv drawn/masks masks || return 1
    image=$(echo "$PWD"/images/*1.png) mask=$(echo "$PWD"/masks/*1.png) in=$PWD
    tile -q -s 16 -m masks images/*.png >tiles.tar || return 1
    tile -q -s 16 -m masks "$image" | predict -q --keep-image >predicted.tar || return 1
    cp "$TOP/tests/golden/pth/$(first_pth)" w.pth && weights convert w.pth w.safetensors &&
        "$BUILD/tests/helper/network" unet-s:width=8,levels=2,norm=0 1 1 1 n.safetensors || return 1
    stitch -q -o i.tif "$(one_tile)" && tar xOf one.tar --wildcards '*.image.npy' >i.npy && label -q -o l.tif "$mask" &&
        label -q --rois r.zip --geojson a.geojson --coco c.json -o m.tif "$mask"
}

first_pth() {
    basename "$(find "$TOP/tests/golden/pth" -name '*.pth' -size -20 | sort | head -n 1)"
}

one_tile() {
    tile -q -s 16 "$image" >one.tar && echo one.tar
}

# Programs that read a stream from standard input, and those that read a file.
streams=(
    "tiles.tar peek"
    "tiles.tar prune"
    "tiles.tar augment -q -n 1"
    "tiles.tar holdout -q --train -f 0.5 --allow-leakage"
    "one.tar stitch -q -o out.png"
    "one.tar stitch -q -o out.tif"
    "predicted.tar label -q -o ./"
    "predicted.tar score -q"
    "predicted.tar suggest -q -n 1"
)
files=(
    "images/synth_00001.png tile -q -s 16 {}"
    "i.npy tile -q -s 16 {}"
    "i.tif tile -q -s 16 {}"
    "l.tif label -q -o out.tif {}"
    "masks/synth_00001.png label -q -o out.tif {}"
    "masks/synth_00001.png score -q {} $TMP/in/masks/synth_00001.png"
    "images/synth_00001.png overlay -o out.png {} $TMP/in/masks/synth_00001.png"
    "r.zip rasterize -q --size 16x16 -o out.png {}"
    "a.geojson rasterize -q --size 16x16 -o out.png {}"
    "c.json rasterize -q -o out.png {}"
    "w.safetensors weights convert {} out.safetensors"
    "w.pth weights convert {} out.safetensors"
)

# Barrage within the program: its libraries, which take longer than a run, are loaded once.
inside() { # PART NAME VARIABLES HOW STEP FILE COMMAND
    job "$1" "$2" "$3 BARRAGE='$4 $5 $6' LD_PRELOAD=$BUILD/tests/fault/inside.so $7"
}

changes() { # PART HOW VARIABLES LINE...: a job for each program, whose file is changed
    local line file
    for line in "${@:4}"; do
        file=${line%% *}
        inside "$1" "$file" "$3" "$2" "$step" "$in/$file" "${line#* }"
    done
}

# One tile and a small network.
predict_job() { # PART HOW VARIABLES STEP
    inside "$1" predict "$3" "$2" "$4" "$in/one.tar" "predict -q -t 1 -m $in/n.safetensors -o out.tar"
}

jobs_cuts() {
    changes cuts cut STRICT=1 "${streams[@]}"
    predict_job cuts cut STRICT=1 "$slow"
    changes cuts cut "" "${files[@]}"
}

# What has sums: streams, and a PNG's chunks.  A zero before a header's own sum that became a
# space changes nothing, so an exit of 0 with the right output is fine.
jobs_flips() {
    changes flips flip "" "${streams[@]}"
    predict_job flips flip "" "$((slow * 8))"
    inside flips png "" flip "$step" "$image" "tile -q -s 16 {}"
}

writers=(
    "tile -q -s 16 -m $TMP/in/masks $TMP/in/images/synth_00001.png"
    "prune -q -o out.tar $TMP/in/tiles.tar"
    "augment -q -n 1 -o out.tar $TMP/in/tiles.tar"
    "stitch -q -o out.png $TMP/in/one.tar"
    "stitch -q -o out.tif $TMP/in/one.tar"
    "label -q -T out.tsv --rois out.zip --geojson out.geojson -o out.tif $TMP/in/masks/synth_00001.png"
    "score -q --json $TMP/in/masks/synth_00001.png $TMP/in/masks/synth_00001.png"
    "overlay -o out.png $TMP/in/images/synth_00001.png $TMP/in/masks/synth_00001.png"
    "rasterize -q -o out.png $TMP/in/c.json"
    "weights convert $TMP/in/w.safetensors out.safetensors"
    "peek --json $TMP/in/tiles.tar"
)

# One call fails, then all from it on.
jobs_calls() {
    local command call
    for command in "${writers[@]}"; do
        for call in "read 5" "write 28" "pwrite 28" "close 5" "fsync 5" "rename 13" "open 24" "mmap 12"; do
            job calls "${command%% *}" "$barrage fail $call $calls -- $command"
            job calls "${command%% *}" "$barrage fail $call+ $calls -- $command"
        done
    done
}

jobs_memory() {
    local command
    for command in "${writers[@]}"; do
        job memory "${command%% *}" "$barrage fail malloc 12 $calls -- $command"
        job memory "${command%% *}" "$barrage fail malloc 12+ $calls -- $command"
    done
}

jobs_kills() {
    local command
    for command in "${writers[@]}"; do
        job kills "${command%% *}" "$barrage kill $kills -- $command"
    done
    [ "$trains" -eq 0 ] || job kills train "kill_train $trains"
    [ "$tables" -eq 0 ] || job kills table1 "kill_table $tables"
}

jobs_disks() {
    local command
    if ! unshare -m true 2>/dev/null; then
        echo "# disks: no right to mount a tmpfs: not attacked"
        return
    fi
    for command in "${writers[@]}"; do
        job disks "${command%% *}" "unshare -m $barrage disk $pages -- $command"
    done
}

# ---- files that others made ----

jobs_hostile() {
    local folder=$SHARED/hostile class
    if [ ! -d "$folder" ]; then
        make_hostile "$TMP/hostile"
        folder=$TMP/hostile
    fi
    for class in reject either valid; do
        hostile_jobs $class "$folder/*/$class" png,jpeg,jpg,tif,tiff,npy "tile -q {}"
        hostile_jobs $class "$folder/*/$class" tar "peek -q {}"
        hostile_jobs $class "$folder/*/$class" pth,npz,safetensors,zip "weights convert {} out.safetensors"
        hostile_jobs $class "$folder/*/$class" json,roi,geojson "rasterize -q --size 16x16 -o out.png {}"
    done
}

# In lots of 60 files, each an attack of its own; what is to be rejected must be.
hostile_jobs() { # CLASS FOLDERS ENDINGS COMMAND
    local strict=0 lot ending names=()
    [ "$1" != reject ] || strict=1
    for ending in ${3//,/ }; do names+=(-o -name "*.$ending"); done
    # shellcheck disable=SC2086 # a pattern
    while read -r lot; do
        job hostile "$1" "STRICT=$strict $barrage file $lot -- $4"
    done < <(find $2 -type f \( "${names[@]:1}" \) 2>/dev/null | sort | awk -v n="$each" 'NR % n == 1 || n == 1' | xargs -n 60)
}

# Without a collection of them: what the corpora of the fuzzers have.
make_hostile() { # FOLDER
    local target ending=([png]=png)
    declare -A ending=([png]=png [jpeg]=jpg [tiff]=tif [stream]=tar [weights]=pth [annot]=json [roi]=roi)
    for target in "${!ending[@]}"; do
        mkdir -p "$1/$target/either" "$TMP/unpacked/$target"
        tar xzf "$TOP/tests/fuzz/corpus/$target.tar.gz" -C "$TMP/unpacked/$target" || return 1
        (cd "$TMP/unpacked/$target" && for f in *; do
            mv "$f" "$1/$target/either/$f.${ending[$target]}"
        done)
    done
}

# ---- a folder in parallel, in which some are broken, and one of the jobs is killed ----

jobs_folder() {
    job folder images "attack_folder $images"
}

attack_folder() { # NUMBER
    local n=$1 broken=$(($1 / 50 + 1)) file wrong=0 half=0 left messages
    local folder=$TMP/folder
    mkdir "$folder" "$folder/out" && synth -q -n "$n" -s 24 --seed 9 -o "$folder/drawn" || return 1
    find "$folder"/drawn/images -name '*.png' | sort | head -n "$broken" >"$folder/broken"
    while read -r file; do truncate -s 150 "$file"; done <"$folder/broken"
    set -m
    run_folder & # and is killed in the middle of it, with all of its group
    set +m
    until [ "$(find "$folder/out" -name '*.png' | wc -l)" -gt $((n / 10)) ] || ! kill -0 $! 2>/dev/null; do
        sleep 0.05
    done
    kill -KILL -- -$! 2>/dev/null
    wait $! 2>/dev/null
    # A few are all done before they can be killed.
    [ "$n" -lt 400 ] || [ "$(find "$folder/out" -name '*.png' | wc -l)" -lt $((n / 2)) ] || return 1
    find "$folder/out" -type f -name '*.tmp-*' -exec touch -d '1 hour ago' {} +
    (run_folder) 2>"$folder/messages"
    while read -r file; do
        [ ! -e "$folder/out/${file##*/}" ] || half=$((half + 1))
        rm -f "$folder/drawn/masks/${file##*/}" "$folder/out/${file##*/}"
    done <"$folder/broken"
    wrong=$((n - broken - $(score -q "$folder/out" "$folder/drawn/masks" | awk -F'\t' '$2 == 1' | wc -l)))
    left=$(find "$folder/out" -name '*.tmp-*' | wc -l)
    # A line names each that is broken, and there is no other.
    messages=$(sed "s/^tile: read '\(.*\)': .*/\1/" "$folder/messages" | sort | comm -3 - "$folder/broken" | wc -l)
    printf '%d\t0\t0\t%d\t%d\t%d\t%d\n' "$n" "$wrong" "$half" "$left" "$messages"
}

# What is there already is not made again.
run_folder() {
    # shellcheck disable=SC2016 # the inner shell expands these
    find "$TMP/folder/drawn/images" -name '*.png' | sort | xargs -P 2 -n 50 bash -c '
        for image; do
            out=$TMP/folder/out/${image##*/}
            [ -e "$out" ] || tile -q -m "$TMP/folder/drawn/masks" "$image" | stitch -q --mask -o "$out" 2>>"$TMP/folder/stitch"
        done' fifty
}

# ---- kills of what goes on for long ----

kill_train() { # KILLS
    KILLS=$1 BUILD=$BUILD "$TOP/tests/fault/train-kill.t" >"$TMP/train-kill" 2>&1
    printf '%d\t0\t0\t%d\t%d\t0\t%d\n' "$1" "$(grep -c 'not ok 3' "$TMP/train-kill")" \
        "$(grep -c 'not ok 1' "$TMP/train-kill")" "$(grep -c 'not ok 2' "$TMP/train-kill")"
}

make_table() { # FOLDER: makes table 1 there, which a second time goes on
    make -C "$TOP" -s -f pipelines/all.mk table1 SCALE=smoke RUNS=1 BIN="$BUILD/bin" W="$1" >/dev/null 2>&1
}

kill_table() { # KILLS
    local n wrong=0 left
    make_table "$TMP/whole" || return 1
    for ((n = 0; n < $1; n++)); do
        set -m
        make_table "$TMP/killed" &
        set +m
        sleep $((2 + RANDOM % 8)).$((RANDOM % 10))
        kill -KILL -- -$! 2>/dev/null
        wait $! 2>/dev/null
    done
    # What a kill left is swept once it is stale.
    find "$TMP/killed" -name '*.tmp-*' -exec touch -d '1 hour ago' {} +
    make_table "$TMP/killed" || wrong=1
    # The last line says of which commit they are.
    cmp -s <(sed '/^- Ours: /d' "$TMP/whole/table1.md") <(sed '/^- Ours: /d' "$TMP/killed/table1.md") || wrong=$((wrong + 1))
    left=$(find "$TMP/killed" -name '*.tmp-*' | wc -l)
    printf '%d\t0\t0\t%d\t0\t%d\t0\n' "$1" "$wrong" "$left"
}
export -f attack_folder run_folder kill_train kill_table make_table
export TOP SHARED
