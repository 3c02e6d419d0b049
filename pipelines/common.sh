# shellcheck shell=bash
# Sourced by the scripts beside it.  They are told by the environment, which all.mk sets:
#   SCALE SPLIT DATA STANDIN DEVICE THREADS W OPTIONS SKIPS
here=$(dirname "${BASH_SOURCE[0]}") # as it was named, since records show it
tables=$(cd "$here" && pwd)         # the same from any folder

die() { # STATUS TEXT
    echo "${0##*/}: $2" >&2
    exit "$1"
}

# Here, since a die inside of a substitution ends the substitution alone.
[ -e "$tables/scales/${SCALE:=small}.tsv" ] ||
    die 64 "scale '$SCALE': there are $(cd "$tables/scales" && echo *.tsv | sed 's/\.tsv//g')"

# setting WHAT [NAME]: the value in scales/SCALE.tsv, or in the scale that it is like;
# nothing when there is none.
setting() {
    local scale=$SCALE value
    while [ -n "$scale" ]; do
        if value=$(awk -F'\t' -v what="$1" -v name="${2:--}" \
            '!/^#/ && $1 == what && $2 == name { print $3; found = 1 } END { exit !found }' "$tables/scales/$scale.tsv"); then
            printf '%s\n' "$value"
            return
        fi
        scale=$(awk -F'\t' '$1 == "like" { print $3 }' "$tables/scales/$scale.tsv")
    done
}

# of_set SET COLUMN: a cell of sets.tsv.
of_set() {
    awk -F'\t' -v set="$1" -v name="$2" '
        /^#/ { next }
        !column { for (i = 1; i <= NF; i++) if ($i == name) column = i; next }
        $1 == set { print $column }' "$tables/sets.tsv"
}

# runs_of TABLE: the last column of a published table.
runs_of() {
    awk -F'\t' '
        /^#/ { next }
        !column { for (i = 1; i <= NF; i++) if ($i == "run") column = i; next }
        { print $column }' "$tables/paper/$1.tsv"
}

# sources SET: the folders that its images are in, one a line, each as "FOLDER PARTS", PARTS
# being "train test", one of them, or "all" for a folder that is not divided.
sources() {
    local name part standins found=""
    if [ -d "$DATA/$1" ]; then
        parts_of "$DATA/$1"
        return
    fi
    standins=$(setting stand-ins "$1")
    for name in ${STANDIN:+${standins:-$(of_set "$1" stand-ins)}}; do
        part=${name#*:} name=${name%:*}
        [ -d "$STANDIN/$name" ] || continue
        found=yes
        if [ "$part" = "$name" ]; then parts_of "$STANDIN/$name"; else echo "$STANDIN/$name $part"; fi
    done
    [ -n "$found" ] || echo "$W/drawn/$1 train test"
}

parts_of() { # FOLDER
    if [ -d "$1/test" ]; then echo "$1 train test"; else echo "$1 all"; fi
}

# came_from SET: where its images are from, in words.
came_from() {
    local folder names=""
    while read -r folder _; do
        case $folder in
        "$W/drawn/"*) names=", drawn images" ;;
        "$DATA/$1") names=", the real data" ;;
        *) [[ "$names, " == *", ${folder##*/}, "* ]] || names+=", ${folder##*/}" ;;
        esac
    done < <(sources "$1")
    names=${names#, }
    case $names in
    "drawn images" | "the real data") echo "$names" ;;
    *) echo "$names in its place" ;;
    esac
}

# What the runs of a set were trained on, as their records say.
images_of() { # SET RECORD...
    local set=$1
    shift
    awk -F'\t' -v set="$set/" 'FNR == 1 { ours = index($2, set) == 1 } ours && $1 == "# images" { print $2 }' "$@" /dev/null |
        sort -u | paste -sd';' | sed 's/;/; /g'
}

# name_of RUN: the method as the paper writes it, from the first table that has the run.
name_of() {
    local table name
    for table in "$here"/paper/table?.tsv; do
        name=$(awk -F'\t' -v run="$1" '
            /^#/ { next }
            !column {
                for (i = 1; i <= NF; i++) {
                    if ($i == "run") column = i
                    label[i] = $i ~ /^(method|encoder|loss)$/
                    if ($i == "method") methods = 1
                }
                # Tables 2 and 3 are of one method.
                if (!methods) name = "TransUNet + MorphoSeg"
                next
            }
            $column == run {
                for (i = 1; i < column; i++) if (label[i] && $i != "-") name = name (name == "" ? "" : ", ") $i
                print name
                exit
            }' "$table")
        if [ -n "$name" ]; then
            echo "$name"
            return
        fi
    done
}

# remark RECORD KEY: of a run's record.
remark() {
    awk -F'\t' -v key="# $2" '$1 == key { print $2; exit }' "$1"
}
