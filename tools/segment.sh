#!/bin/bash
# segment: a folder of images to labels, tables, outlines and a page; nothing but the
# pipe tile | predict | label, printed as it runs, then gallery.
set -u
name=${0##*/} prefix=${0##*/}
prefix=${prefix%segment}

out='' weights='' jobs=1 chunk=64 recursive='' quiet='' force='' title='' conditions=''
size='' diameter='' retry='' csv='' history=() predict_options=() parallel_options=() inputs=() work='' is_checked='' pipe=''

# Names come from files: what commands a terminal or ends a line is shown as "?".
harmless() {
    LC_ALL=C sed -z 's/[\x01-\x1f\x7f]/?/g; s/\xc2[\x80-\x9f]/?/g; s/\xe2\x80[\xa8-\xae]/?/g' <<<"$*" |
        iconv -c -f UTF-8 -t UTF-8 | sed 's/?$//'
    echo
}
say() { [ -n "$quiet" ] || harmless "$*" >&2; }
warn() { harmless "$name: $*" >&2; }
die() { # STATUS MESSAGE
    warn "$2"
    exit "$1"
}
usage_error() { die 64 "$1 (see '$name --help')"; }

# As other programs are called here.
prefixed() { sed -E "s/\\bfor (tile|predict|gallery)\\b/for $prefix\\1/"; }

print_help() {
    prefixed <<END
usage: $name [options] -o DIR IMAGE|FOLDER...
Find the cells of all images of a folder: labels, tables, outlines, and a page.

  -o, --output DIR        where results go: index.html, images.tsv, cells.tsv, labels/, ...
  -m, --model WEIGHTS     the network (default: the one that came along)
  -j, --jobs N            so many pipes at once, by GNU parallel (default 1)
      --sshlogin HOST     run pipes there, by GNU parallel; folders must be shared; may be repeated
      --chunk N           images a pipe (default 64)
      --size SIZES        sides of tiles, for tile -s
      --diameter PIXELS   cells are about so wide, for tile --diameter
  -d, --device DEVICE     cpu or cuda[:N], for predict
  -r, --recursive         folders in folders, too
      --conditions FILE   a table with columns image and condition (default: the folders)
      --title TEXT        the page's title
      --history FILE      for gallery: the page shows how models got better; may be repeated
      --csv               images.csv and cells.csv, too, with commas, for spreadsheets
      --retry             try again what failed before
      --force             replace files of these names that are not of an earlier run
  -q, --quiet             do not print the pipes
  -h, --help              this help
  -V, --version           the version

A second run does only what is new or has changed, and all with other weights or tiles.
Exit status 1 when some images failed.
END
}

# The same for completions: letter, long name, argument, its words, help; between tabs.
list_options() {
    printf '%s\tfind the cells of all images of a folder\t\n' "$name"
    print_help | sed -nE 's/^  (-(.), |    )--([a-z-]+) ?([A-Z]*) +(.*)/\2\t\3\t\4\t\t\5/p'
}

# ---- options ----

need() { [ $# -gt 1 ] || usage_error "option '$1' needs an argument"; }

number() { # OPTION TEXT
    [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || usage_error "$1 '$2': not a number from 1 to 999999"
}

read_options() {
    local all_operands=''
    while [ $# -gt 0 ]; do
        case $all_operands$1 in
        --*=*) # --option=value as two
            set -- "${1%%=*}" "${1#*=}" "${@:2}"
            continue
            ;;
        -o | --output) need "$@"; out=$2; shift ;;
        -m | --model) need "$@"; weights=$2; shift ;;
        -j | --jobs) need "$@"; number "$1" "$2"; jobs=$2; shift ;;
        --sshlogin) need "$@"; parallel_options+=(--sshlogin "$2"); shift ;;
        --chunk) need "$@"; number "$1" "$2"; chunk=$2; shift ;;
        --size) need "$@"; size=$2; shift ;;
        --diameter) need "$@"; diameter=$2; shift ;;
        -d | --device) need "$@"; predict_options+=(-d "$2"); shift ;;
        --conditions) need "$@"; conditions=$2; shift ;;
        --title) need "$@"; title=$2; shift ;;
        --history) need "$@"; history+=(--history "$2"); shift ;;
        --csv) csv=yes ;;
        --retry) retry=yes ;;
        -r | --recursive) recursive=yes ;;
        --force) force=yes ;;
        -q | --quiet) quiet=yes ;;
        -h | --help) print_help 2>/dev/null || die 74 "write standard output: it is full or closed"; exit 0 ;;
        -V | --version) echo "$name (MorphoSeg in C) ${VERSION:-0}" 2>/dev/null || die 74 "write standard output: it is full or closed"; exit 0 ;;
        --list-options) list_options; exit 0 ;;
        --) all_operands=' ' ;;
        -?*) usage_error "unknown option '$1'" ;;
        *) inputs+=("$1") ;;
        esac
        shift
    done
}

# ---- what there is to do ----

# Masks and other results that lie beside their image are not images.
is_result() { # PATH
    local stem=${1%.*} suffix other
    stem=${stem%.[oO][mM][eE]}
    for suffix in _mask _masks _cp_masks _seg _label _labels _labeled _labeled -mask -masks -label -labels -labeled _cells _overlay _outlines _cp_outlines _flows _prob; do
        case $stem in
        *"$suffix")
            for other in "${stem%"$suffix"}".*; do
                [ ! -f "$other" ] || return 0
            done
            ;;
        esac
    done
    return 1
}

list_folder() { # FOLDER: its images, one a line
    local depth=(-maxdepth 1) path
    [ -z "$recursive" ] || depth=()
    find "$1" ${depth[@]+"${depth[@]}"} -name '.*' ! -path "$1" -prune -o -type d -samefile "$out" -prune -o \
        -type f -regextype posix-extended \
        -iregex '.*\.(tiff?|png|jpe?g|svs|ndpi|scn|mrxs|bif|lsm|stk)' -print0 |
        LC_ALL=C sort -z |
        while IFS= read -r -d '' path; do
            case $path in
            *$'\n'* | *$'\t'*) warn "'${path//[$'\n\t']/?}': a name with a line end or a tab is left out" ;;
            *) is_result "$path" || printf '%s\n' "$path" ;;
            esac
        done
}

list_images() {
    local input
    for input in "${inputs[@]}"; do
        if [ -d "$input" ]; then
            list_folder "${input%/}"
        elif [ -f "$input" ]; then
            printf '%s\n' "$input"
        else
            die 66 "open '$input': no such file or folder"
        fi
    done | awk '!seen[$0]++'
    return "${PIPESTATUS[0]}"
}

set_label() { # PATH: label, the file that label makes of it
    local base=${1##*/}
    case $base in
    ?*.[oO][mM][eE].[tT][iI][fF]*) base=${base%.*.*} ;;
    ?*.*) base=${base%.*} ;;
    esac
    label=$out/labels/$base.tif
}

# Results are named by stem: two images of one stem would be one.
check_stems() {
    local twice
    twice=$(sed 's|.*/||; s|\(.\)\.[^.]*$|\1|; s|\(.\)\.[oO][mM][eE]$|\1|' "$work/images" | LC_ALL=C sort | uniq -d | head -n 1)
    [ -z "$twice" ] || die 64 "two images named '$twice': give each folder a -o of its own"
}

# An image is a file here, whatever its name says.
warn_of_channels() {
    local path
    path=$(sed -n 's|_0001\(\.[^./]*\)$|_0000\1|p' "$work/images" | grep -Fxf "$work/images" | head -n 1)
    [ -z "$path" ] || warn "'$path' and the next may be channels of one image, as nnU-Net names them: each is taken for an image, tile | predict | label joins them"
}

# What changes when a file does, whatever its clock says: size and time, and its name; of what
# is always written anew also its number, since some clocks count seconds.
stamps_of() { xargs -r -d '\n' stat --printf "${1-}%s-%.9Y\t%n\n" -- 2>/dev/null; } # [FORMAT]
label_stamps() { # of the images of standard input
    local path label
    while IFS= read -r path; do
        set_label "$path"
        printf '%s\n' "$label"
    done | stamps_of %i-
}

# Those without a label image, those that changed since, and not those that failed before and
# that nobody has changed.  What has no stamp was done before there were stamps: its label image
# is newer.
list_new() {
    local path label stamp
    local -A is_done=() hopeless=() was=()
    while IFS= read -r path; do is_done[$path]=1; done <"$work/done"
    [ -n "$retry" ] || while IFS=$'\t' read -r stamp path; do hopeless[$path]=$stamp; done <"$work/hopeless"
    while IFS=$'\t' read -r stamp path; do was[$path]=$stamp; done <"$work/known"
    while IFS=$'\t' read -r stamp path; do
        set_label "$path"
        if [ -f "$label" ] && [ -n "${is_done[$path]-}" ] &&
            { [ "${was[$path]-}" = "$stamp" ] || { [ -z "${was[$path]-}" ] && [ ! "$path" -nt "$label" ]; }; }; then
            continue
        fi
        [ "${hopeless[$path]-}" = "$stamp" ] || printf '%s\n' "$path"
    done <"$work/stamps"
}

# The images as they are now, before they are read: what changes while it is read is done again.
note_stamps() {
    awk -F '\t' 'NR == FNR { now[$2]; next } !($2 in now)' "$work/stamps" "$work/known" >"$work/list"
    cat "$work/stamps" >>"$work/list"
    mv "$work/list" "$out/parts/stamps"
}

# ---- a chunk ----

quoted() { # the words, for a shell
    local word text=''
    for word; do text+=" $(printf '%q' "$word")"; done
    printf '%s' "${text# }"
}

predict_command() { # sets the array predict
    predict=("${prefix}predict" --keep-image)
    [ -z "$weights" ] || predict+=(-m "$weights")
    predict+=(${predict_options[@]+"${predict_options[@]}"})
}

# Whether predict takes its weights and options, once: then all it minds is that there is no stream.
check_predict() {
    local said status predict
    [ -z "$is_checked" ] || return 0
    is_checked=yes
    predict_command
    said=$("${predict[@]}" -q </dev/null 2>&1 >/dev/null)
    status=$?
    case $said in *"'standard input': it is empty") return 0 ;; esac
    said=${said##*$'\n'}
    die "$status" "predict does not run, and no further image was tried: ${said#*predict: }"
}

tile_command() { # sets the array tile
    tile=("${prefix}tile" ${size:+-s "$size"} ${diameter:+--diameter "$diameter"})
}

# Its options, before any image; no image is none.
check_tile() {
    local said tile
    tile_command
    said=$("${tile[@]}" -q /dev/null 2>&1 >/dev/null)
    [ $? != 64 ] || usage_error "$(sed -E 's/^[a-z-]*tile: //; s/ \(see .*//; 1q' <<<"$said")"
}

# run_chunk ID: the pipe over the images of parts/ID.list
run_chunk() {
    local id=$1 images=() status statuses=() failed=0 blame=yes
    mapfile -t images <"$out/parts/$id.list"
    local tile predict label=("${prefix}label")
    predict_command
    tile_command
    case ${images[*]} in *_0000.*) tile+=(--numbered images) ;; esac
    label+=(-T "$out/parts/$id.tsv" -o "$out/labels/" --rois "$out/rois/" --geojson "$out/geojson/" --svg "$out/outlines/")
    [ -z "$force" ] || label+=(--force)
    label_stamps <"$out/parts/$id.list" >"$out/parts/$id.before"
    say "$(quoted "${tile[@]}") $(quoted "${images[0]}")$([ ${#images[@]} -lt 2 ] || echo " ... (${#images[@]} images)") | $(quoted "${predict[@]}") | $(quoted "${label[@]}")"
    "${tile[@]}" -q -- "${images[@]}" | "${predict[@]}" -q | "${label[@]}" -q
    statuses=("${PIPESTATUS[@]}")
    for status in "${statuses[@]}"; do
        [ "$status" -le 1 ] || failed=$status
        # The disk or the memory, and no image.
        case $status in 0 | 1 | 65 | 66) ;; *) blame='' ;; esac
    done
    # What tile does not mind may be the weights.
    [ "$failed" = 0 ] || { [ ${#images[@]} = 1 ] && [ "${statuses[0]}" != 0 ]; } || blame=''
    [ -z "$blame" ] || list_failed "$id" >"$out/parts/$id.failed"
    return "$failed"
}

labeled() { # ID: the images of its list whose label images are not as before its pipe
    local path label stamp
    local -A is_new=()
    while IFS=$'\t' read -r stamp label; do is_new[$label]=$stamp; done < \
        <(label_stamps <"$out/parts/$1.list" | grep -vxFf "$out/parts/$1.before")
    while IFS= read -r path; do
        set_label "$path"
        [ -z "${is_new[$label]-}" ] || printf '%s\n' "$path"
    done <"$out/parts/$1.list"
}

list_failed() { labeled "$1" | grep -vxFf - "$out/parts/$1.list" | stamps_of; } # ID

time_left() { # DONE ALL: ", about 3 min left", by the clock since the first chunk
    local left=$(((SECONDS - chunks_begun) * ($2 - $1) / $1))
    if [ "$left" -ge 5400 ]; then
        printf ', about %d h left' $(((left + 1800) / 3600))
    elif [ "$left" -ge 90 ]; then
        printf ', about %d min left' $(((left + 30) / 60))
    elif [ "$left" -ge 5 ]; then
        printf ', about %d s left' "$left"
    fi
}

run_chunks() { # ID...
    local id n=0 chunks_begun=$SECONDS
    if [ "$jobs" = 1 ] && [ ${#parallel_options[@]} = 0 ]; then
        for id; do
            run_chunk "$id" || [ -f "$out/parts/$id.tsv" ] || check_predict
            n=$((n + 1))
            [ $# -lt 2 ] || say "$name: $n of $# pipes done$(time_left "$n" $#)"
        done
        return
    fi
    command -v parallel >/dev/null || die 64 "-j and --sshlogin need GNU parallel (apt-get install parallel)"
    [ ${#parallel_options[@]} != 0 ] || check_predict
    [ -n "$quiet" ] || [ ! -t 2 ] || parallel_options+=(--eta)
    parallel --will-cite -j "$jobs" --workdir . ${parallel_options[@]+"${parallel_options[@]}"} \
        "$(quoted "$0" ${quiet:+-q} ${force:+--force} ${weights:+-m "$weights"} ${size:+--size "$size"} \
            ${diameter:+--diameter "$diameter"} ${predict_options[@]+"${predict_options[@]}"} -o "$out") --run-chunk {}" ::: "$@"
}

# One pipe that fails whole (a broken stream, no memory) is tried again image by image, so
# that one image does not keep the others of its chunk.
split_failed() { # ID...
    local id path n=0 again=()
    for id; do
        [ ! -f "$out/parts/$id.tsv" ] || continue
        [ "$(wc -l <"$out/parts/$id.list")" -gt 1 ] || { rm -f "$out/parts/$id.list"; continue; }
        while IFS= read -r path; do
            n=$((n + 1))
            printf '%s\n' "$path" >"$out/parts/$id.$n.list"
            again+=("$id.$n")
        done <"$out/parts/$id.list"
        rm -f "$out/parts/$id.list"
    done
    [ ${#again[@]} = 0 ] || {
        note_pipe "${again[@]}"
        run_chunks "${again[@]}"
        for id in "${again[@]}"; do
            [ -f "$out/parts/$id.tsv" ] || rm -f "$out/parts/$id.list"
        done
    }
}

# What was tried and not labeled need not be tried again as it is.
note_hopeless() {
    local list
    {
        awk -F '\t' 'NR == FNR { new[$0]; next } !($2 in new)' "$work/new" "$work/hopeless"
        for list in "$out"/parts/*.failed; do
            [ ! -f "$list" ] || cat "$list"
        done
    } >"$work/list"
    rm -f "$out"/parts/*.failed
    cp "$work/list" "$out/parts/failed"
}

# What a part of this run did not label is not of the part.
keep_labeled() { # ID...
    local id list part
    for id; do
        for list in "$out/parts/$id.list" "$out/parts/$id".*.list; do
            [ -f "$list" ] || continue
            part=${list##*/}
            labeled "${part%.list}" >"$work/list"
            cmp -s "$work/list" "$list" || cp "$work/list" "$list"
        done
    done
    rm -f "$out"/parts/*.before
}

# A run that was stopped leaves lists without tables: their images are done anew.
forget_unfinished() {
    local list
    rm -f "$out"/parts/*.before
    for list in "$out"/parts/*.list; do
        [ -f "${list%.list}.tsv" ] || rm -f "$list"
    done
}

# ---- all ----

# What results depend on, but for the images; weights that are not here may be on another machine.
set_pipe() { # pipe
    local file=${weights:-${MORPHOSEG_MODEL-}}
    pipe="size $size, diameter $diameter"
    [ ! -r "$file" ] || pipe+=", weights $(sha256sum <"$file")"
    [ -z "$weights" ] || [ -r "$weights" ] || [ ${#parallel_options[@]} != 0 ] || check_predict
}

note_pipe() { # ID...
    local id
    for id; do printf '%s\n' "$pipe" >"$out/parts/$id.pipe"; done
}

# LIST: whether its images were done as this run does them, or before that was noted; or not.
is_of_pipe() {
    local was
    ! IFS= read -r was 2>/dev/null <"${1%.list}.pipe" || [ "$was" = "$pipe" ]
}
is_of_another() { ! is_of_pipe "$1"; }

# list_done WHICH: the images of earlier runs, by the lists whose tables are there; an image that was
# done again counts in its newest part only.  What other weights found, or other tiles, is to do.
list_done() {
    local list
    for list in "$out"/parts/*.list; do
        [ ! -f "${list%.list}.tsv" ] || ! "$1" "$list" || cat "$list"
    done
}

warn_of_others() {
    local count
    count=$(list_done is_of_another | grep -cxFf "$work/new")
    [ "$count" = 0 ] || say "$name: $count of the images were done with other weights or tiles, and are done again"
}

drop_old_rows() { # the new images leave the older parts
    local table
    for table in "$out"/parts/*.tsv; do
        [ -f "$table" ] || continue
        awk -F '\t' 'NR == FNR { new[$0]; next } FNR == 1 || !($1 in new)' "$work/new" "$table" >"$work/table" &&
            { cmp -s "$work/table" "$table" || cp "$work/table" "$table"; }
        grep -vxFf "$work/new" "${table%.tsv}.list" >"$work/list"
        cmp -s "$work/list" "${table%.tsv}.list" || cp "$work/list" "${table%.tsv}.list"
    done
}

make_chunks() { # prints the IDs
    local first=0 last id
    last=$(find "$out/parts" -name '*.list' 2>/dev/null | sed 's|.*/||; s|[.].*||' | LC_ALL=C sort -n | tail -n 1)
    [ -z "$last" ] || first=$((10#$last + 1))
    split -l "$chunk" --numeric-suffixes="$first" -a 6 --additional-suffix=.list "$work/new" "$out/parts/" ||
        die 73 "create '$out/parts': split failed"
    for id in "$out"/parts/*.list; do
        id=${id##*/} id=${id%.list}
        [ -f "$out/parts/$id.tsv" ] || printf '%s\n' "$id"
    done
}

join_tables() {
    local tables=("$out"/parts/*.tsv)
    [ -f "${tables[0]}" ] || return 0
    # Images with other channels have other columns: each part under its own names.
    awk -F '\t' -v OFS='\t' '
        FNR == 1 { n = NF; for (i = 1; i <= NF; i++) { name[i] = $i; if (pass == 1 && !($i in at)) { at[$i] = ++columns; head[columns] = $i } } 
                   if (pass == 2 && !printed++) { line = head[1]; for (i = 2; i <= columns; i++) line = line OFS head[i]; print line } next }
        pass == 2 { for (i = 1; i <= columns; i++) cell[i] = "nan"; for (i = 1; i <= n; i++) cell[at[name[i]]] = $i
                    line = cell[1]; for (i = 2; i <= columns; i++) line = line OFS cell[i]; print line }
    ' pass=1 "${tables[@]}" pass=2 "${tables[@]}" >"$work/cells" && mv "$work/cells" "$out/cells.tsv"
}

# What the page and the tables beside it depend on, but for the images.
page_settings() {
    printf '%s\n' "$title" "$csv" ${history[@]+"${history[@]}"}
    stat -c '%n %s %Y' -- ${conditions:+"$conditions"} ${history[@]+"${history[@]}"} 2>/dev/null
}

is_page_there() {
    [ -f "$out/index.html" ] && cmp -s "$work/images" "$out/parts/images" &&
        [ "$(page_settings)" = "$(cat "$out/parts/page" 2>/dev/null)" ]
}

list_left() { grep -vxFf "$work/done" "$work/images" >"$work/left"; }

with_commas() { # NAME: NAME.csv of NAME.tsv, as core/table.h has it
    [ -f "$out/$1.tsv" ] || return 0
    awk -F '\t' '{
        line = ""
        for (i = 1; i <= NF; i++) {
            cell = $i == "nan" && i > 1 ? "" : $i
            if (cell ~ /[",]/) { gsub(/"/, "\"\"", cell); cell = "\"" cell "\"" }
            line = line (i > 1 ? "," : "") cell
        }
        print line
    }' "$out/$1.tsv" >"$work/csv" && mv "$work/csv" "$out/$1.csv"
}

main() {
    local ids=() failed paths=()
    read_options "$@"
    [ -n "$out" ] || usage_error "no folder, -o DIR"
    [ ${#inputs[@]} -gt 0 ] || usage_error "no images"
    check_tile
    out=${out%/}
    work=$(mkdir -p "$out/parts" 2>&1 && mktemp -d "$out/parts/.work-XXXXXX" 2>&1) ||
        die 73 "create '$out/parts': ${work##*: }"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    list_images >"$work/images" || exit $?
    [ -s "$work/images" ] || die 66 "no images in ${inputs[*]}"
    check_stems
    warn_of_channels
    set_pipe
    forget_unfinished
    list_done is_of_pipe >"$work/done"
    cat "$out/parts/failed" >"$work/hopeless" 2>/dev/null
    cat "$out/parts/stamps" >"$work/known" 2>/dev/null
    stamps_of <"$work/images" >"$work/stamps"
    list_new >"$work/new"
    if [ ! -s "$work/new" ] && is_page_there; then
        list_left
        [ -s "$work/left" ] ||
            { say "$name: all $(wc -l <"$work/images") images are done: $out/index.html" && exit 0; }
        die 1 "$(wc -l <"$work/left") of $(wc -l <"$work/images") images failed before and have not changed (--retry tries them again); the first: $(head -n 1 "$work/left")"
    fi
    if [ -s "$work/new" ]; then
        warn_of_others
        drop_old_rows
        note_stamps
        mapfile -t ids < <(make_chunks)
        note_pipe "${ids[@]}"
        run_chunks "${ids[@]}"
        split_failed "${ids[@]}"
        keep_labeled "${ids[@]}"
        note_hopeless
    fi
    join_tables
    cp "$work/images" "$out/parts/images"
    mapfile -t paths <"$work/images"
    look "${paths[@]}"
    [ -z "$csv" ] || { with_commas images && with_commas cells; } || die 74 "write '$out': no tables with commas"
    printf '%s\n' "$(page_settings)" >"$out/parts/page"
    list_done is_of_pipe >"$work/done"
    list_left
    failed=$(wc -l <"$work/left")
    say "$name: look at $out/index.html"
    [ "$failed" = 0 ] || die 1 "$failed of $(wc -l <"$work/images") images failed; the first: $(head -n 1 "$work/left")"
}

look() { # IMAGE...: the page
    local gallery=("${prefix}gallery" -o "$out" --title "${title:-Cells of ${inputs[*]}}")
    [ ! -f "$out/cells.tsv" ] || gallery+=(-T "$out/cells.tsv")
    [ -z "$conditions" ] || gallery+=(--conditions "$conditions")
    gallery+=(${history[@]+"${history[@]}"})
    [ -z "$force" ] || gallery+=(--force)
    say "$(quoted "${gallery[@]}") ..."
    # A list may be longer than a command line.
    printf '%s\n' "$@" | "${gallery[@]}" -q --list - || [ $? = 1 ] || die 70 "no page was made"
}

# What parallel runs.
if [ "${*: -2:1}" = --run-chunk ]; then
    id=${*: -1}
    read_options "${@:1:$#-2}"
    run_chunk "$id"
    exit
fi
main "$@"
