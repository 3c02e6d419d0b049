#!/bin/bash
# The rules that make the paper's tables: one run for real, what happens to runs that
# fail or are interrupted, and that a second make repeats nothing.
. "$(dirname "$0")/../tap.sh"
plan 37
cd "$TOP" || exit 1
W=$TMP/work
rules() { make -s -f pipelines/all.mk SCALE=smoke RUNS=1 W="$W" BIN="$BIN" "$@"; }

# ---- attempt ----
attempt() { pipelines/attempt "$TMP/record.tsv" set/arch/method 7 gpu "$@" 2>"$TMP/said"; }
attempt 'printf "metric\tmean\tsd\tn\ndsc\t0.5\t0.1\t3\n"'
is "$(grep -v 'date\|commit\|seconds\|command' "$TMP/record.tsv" | tr '\t' ' ' | paste -sd/)" \
    "# run set/arch/method/# seed 7/# status ok/# device gpu/metric mean sd n/dsc 0.5 0.1 3" "a record"
pipelines/attempt "$TMP/cpu.tsv" a/b/c 1 cpu true 2>/dev/null
is "$(grep device "$TMP/cpu.tsv")" "# device	$(pipelines/processor)" "which names the processor and its level"
attempt 'echo half a table; echo "train: no idea" >&2; exit 65'
is "$? $(grep status "$TMP/record.tsv") $(tail -n 1 "$TMP/record.tsv" | cut -c1-9)" "0 # status	train: no idea # command" "of a failure"
attempt 'false | cat'
is "$(grep status "$TMP/record.tsv")" "# status	exit status 1" "also within a pipe"
rm "$TMP/record.tsv"
attempt 'exit 75'
is "$? $(ls "$TMP"/record.tsv* 2>/dev/null)" "75 " "an interrupted one leaves none"
# shellcheck disable=SC2016
attempt 'true && bash -c "kill -9 \$\$" | (cat; exit 65)'
is "$? $(ls "$TMP"/record.tsv* 2>/dev/null)" "137 " "nor does one whose pipe lost a part, whatever the others said"
attempt 'yes | (exit 3)'
is "$(grep status "$TMP/record.tsv")" "# status	exit status 3" "but a reader that fails, whose writer ends therefore, is a failure"
rm "$TMP/record.tsv"
pipelines/attempt "$TMP/record.tsv" a/b/c 1 gpu "sleep 98.7 | cat" 2>/dev/null &
sleep 1
kill $!
wait $! 2>/dev/null
is "$(pgrep -f 'sleep 98[.]7') $(ls "$TMP"/record.tsv* 2>/dev/null)" " " "nor does one that was killed, nor its pipe"

# As a make leaves them that is killed with all of its group.
pipelines/attempt "$TMP/record.tsv" a/b/c 1 gpu "sleep 98.6 | cat" 2>/dev/null &
sleep 1
kill -KILL $!
wait $! 2>/dev/null
attempt 'pgrep -cf "^sleep 98[.]6" >&2; printf "metric\tmean\tsd\tn\n"'
is "$(cat "$TMP/record.tsv.err" "$TMP/record.err" 2>/dev/null) $(grep status "$TMP/record.tsv")" "0 # status	ok" \
    "the pipe of one that SIGKILL took ends before the next attempt begins"
is "$(ls "$TMP"/record.tsv.* 2>/dev/null)" "" "which leaves nothing beside its record"
rm "$TMP/record.tsv"

# ---- one run ----
is "$(rules list | wc -l)" 58 "the runs of all tables"
is "$(rules list | sort | uniq -d)" "" "each once"
record=$W/runs/bloodcell/unetpp/plain/seed1.tsv
ok "a run" rules "$record"
is "$(grep status "$record" 2>/dev/null)" "# status	ok" "comes to an end"
is "$(grep -c '^dsc	0\.\|^dsc	0	\|^hd95' "$record")" 2 "with scores"
is "$(rules "$record" 2>&1)" "" "and is not made twice"
mkdir -p "$W/runs/bloodcell/unetpp/norm"
printf '# run\tbloodcell/unetpp/norm\n# seed\t1\n# status\ttrain: no\n' >"$W/runs/bloodcell/unetpp/norm/seed1.tsv"
is "$(rules retry | wc -l) $(ls "$W/runs/bloodcell/unetpp")" "1 norm
plain" "retry forgets what failed"
ok "and nothing else" test -e "$record"
is "$(table pipelines/paper/table4.tsv "$record" | grep -c '^| UNet++ | - | BloodCell | ours | \**[0-9]')" 1 "its row in table 4"
ok "figure 3" rules figure3
ok "is a picture of patches" test -s "$W/figures/figure3/nt2-transunet-r50-b16-pareto.png"

# ---- settings ----
command_of() { # SCALE RUN: what would be typed; it fails, for want of tiles
    SCALE=$1 SPLIT=image DATA=none STANDIN='' DEVICE=cpu THREADS=1 W=$TMP/$1 pipelines/run "$TMP/$1/runs/$2/seed1.tsv" 2>/dev/null
    grep '^# command' "$TMP/$1/runs/$2/seed1.tsv"
}
has() { # COMMAND PART...: prints the parts that it lacks
    local command=$1 part
    shift
    for part in "$@"; do [[ $command == *"$part"* ]] || echo "$part"; done
}
is "$(has "$(command_of paper nt2/transunet-r50-b16/pareto)" -a\ transunet-r50-b16:skips=3\  "-e 200 -b 128" "--lr 0.01" \
    "--weight-decay 1e-4" "--optimizer adamw --schedule exp" "--vos-start 150" "--vos-per image" "--vos-select 5000" "--loss pareto ")" "" \
    "what the paper states of TransUNet is the default"
is "$(has "$(command_of paper nt2/transunet-vit-b16/plain)" "--optimizer sgd --lr 0.01 --momentum 0.9 --weight-decay 1e-4" "-b 256")" "" \
    "and of ViT-B16"
is "$(has "$(command_of paper nt2/cellpose-cyto3/plain)" "-b 8 --weight-decay 5e-5" "--diameter 100" \
    "--flow-threshold 0 --cell-threshold 0.2" "label -q -m flows")" "" "and of Cellpose"
is "$(has "$(command_of code nt2/transunet-r50-b16/pareto)" "skips=0" "--optimizer sgd" "--vos-mode released" "--loss pareto:released")" "" \
    "SCALE=code is the released code"
rm -r "$TMP/paper"
is "$(has "$(SKIPS=1 OPTIONS='-b 16 --accumulate 8' command_of paper nt2/toposeg-r50-b16/plain)" "skips=1" "-b 16 --accumulate 8 --seed")" "" \
    "SKIPS and OPTIONS overrule them"
is "$(rules SCALE=huge list 2>&1 | cut -d' ' -f2-)" "*** SCALE=huge: there are code paper small smoke whole.  Stop." "an unknown scale"
is "$(SCALE=huge pipelines/records --runs 2>&1); $?" "records: scale 'huge': there are code paper small smoke whole; 64" "... of a script alone"
is "$(bash -c '. pipelines/common.sh; cd /; SCALE=smoke setting runs')" 1 "settings are found from another folder"
is "$(for scale in paper code small whole smoke; do
    for network in cellpose-cyto2 cellpose-cyto3 unetpp swinunet scaleformer toposeg-vit-b16 toposeg-r50-b16 \
        transunet-vit-b16 transunet-vit-l16 transunet-r50-b16 transunet-r50-l32; do
        [ -n "$(SCALE=$scale bash -c '. pipelines/common.sh; setting network "$1"' - $network)" ] || echo "$scale $network"
    done
done)" "" "every scale has every network"

# ---- other people's images ----
mkdir -p "$TMP/standin/bbbc041seg_half"
synth -q -n 2 -s 256x192 -l blood --seed 3 --prefix real -o "$TMP/standin/bbbc041seg_half/train"
synth -q -n 1 -s 256x192 -l blood --seed 4 --prefix real -o "$TMP/standin/bbbc041seg_half/test"
ok "a stand-in" rules W="$TMP/w2" STANDIN="$TMP/standin" "$TMP/w2/runs/bloodcell/unetpp/plain/seed1.tsv"
is "$(grep '^# images' "$TMP/w2/runs/bloodcell/unetpp/plain/seed1.tsv")" "# images	bbbc041seg_half in its place" \
    "is taken at the smallest scale too, and the record says so"

# ---- plots ----
table -f tsv pipelines/paper/table4.tsv "$record" >"$TMP/table4.tsv"
is "$(PATH=/nowhere pipelines/plot "$TMP/table4.tsv" 2>&1)" \
    "plot: draw '$TMP/table4.svg': there is no gnuplot: apt-get install gnuplot-nox; the table is made all the same" "without gnuplot"
if command -v gnuplot >/dev/null; then
    is "$(pipelines/plot "$TMP/table4.tsv" 2>&1)" "" "with it"
    is "$(grep -c 'ScaleFormer + MorphoSeg, Pareto\|DSC on LIVECell' "$TMP/table4.svg") $(head -c 4 "$TMP/table4.png" | tail -c 3)" "2 PNG" \
        "a plot as SVG and as PNG, with the names of the paper"
else
    skip "no gnuplot" 2
fi
# ---- the default model's recipe: a plan, no training ----
learned() { # VARIABLE=VALUE...: what train would be shown, a line each
    make -n -f pipelines/default-model.mk DATA=data WORK="$TMP/default" "$@" | grep '^train -a' -A 1 |
        grep -oE '/default/[a-z0-9_.]*\.tar' | sort | uniq -c | awk '{ print $2 ":" $1 }'
}
is "$(learned | grep -E 'usiigaci|pfc' | paste -sd' ')" "/default/pfc_neurons.tar:4 /default/usiigaci_t98g.tar:4" \
    "it trains though the weights are there"
is "$(learned PASTE=8 | grep -E 'usiigaci|pfc' | paste -sd' ')" \
    "/default/pfc_neurons.tar:4 /default/usiigaci_t98g.pasted.tar:2 /default/usiigaci_t98g.tar:2" "PASTE pastes cells where masks number them"
done_testing
