#!/bin/bash
# The examples, run: on small drawn images, this machine standing in for other
# hosts and for Slurm.
. "$(dirname "$0")/../tap.sh"
plan 31
cd "$TMP" || exit 1
synth -n 3 -s 250x230 --seed 11 -o . || exit 1
images=(images/*.png)
stem=$(basename "${images[0]}" .png)

ok "demo" sh "$TOP/examples/demo" demo
ok "demo leaves an overlay" test -s demo/overlay.png
dsc=$(awk 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "dsc") c = i } NR == 2 { print $c }' demo/score.tsv)
ok "demo finds the cells (DSC $dsc)" awk -v d="$dsc" 'BEGIN { exit !(d > 0.7) }'

if command -v parallel >/dev/null; then
    ok "folder.sh" sh "$TOP/examples/folder.sh" images found
    is "$(find found -name '*_mask.png' | wc -l)" 3 "a mask for each image"
    touch -d '2001-01-01' found/*.png
    ok "folder.sh again" sh "$TOP/examples/folder.sh" images found
    is "$(find found -name '*.png' -newermt 2002-01-01 | wc -l)" 0 "does nothing twice"
    ok "hosts.sh on this machine" sh "$TOP/examples/hosts.sh" : "${images[@]}"
    ok "gives the same mask" cmp "images/${stem}_mask.png" "found/${stem}_mask.png"
    rm -f images/*_mask.png
    ok "one-slide.sh" sh "$TOP/examples/one-slide.sh" "${images[0]}" 2 slide.png
    ok "gives the same mask" cmp slide.png "found/${stem}_mask.png"
    synth -q -n 8 -s 32 >in.tar
    options=(-q -a "unet-s:width=8,levels=2" -t 1 --steps 3 --lr 0.005)
    train "${options[@]}" -b 4 -o one.safetensors in.tar
    export MASTER_PORT=$((20000 + $$ % 20000))
    if sh "$TOP/examples/ranks.sh" 2 two.safetensors in.tar "${options[@]}" -b 2 2>message; then
        weights diff one.safetensors two.safetensors >differences
        ok "ranks.sh gives the weights of one" test $? -le 1
        ok "but for rounding" awk -F'\t' '$NF + 0 > 1e-4 { bad = 1 } END { exit bad }' differences
    elif grep -q 'without c10d' message; then
        skip "this libtorch has no c10d" 2
    else
        is "$(cat message)" "" "ranks.sh"
    fi
else
    skip "GNU parallel is not installed" 10
fi

{ echo nowhere.png && ls "${images[@]}"; } >list.txt
SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_COUNT=2 SLURM_CPUS_PER_TASK=2 \
    bash "$TOP/examples/slurm.sh" list.txt slurm 2>message
is "$?" 1 "slurm.sh: an image that is not there"
SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_COUNT=2 bash "$TOP/examples/slurm.sh" list.txt slurm
is "$?" 0 "a job of any number of processors"
is "$(find slurm -name '*_mask.png' | wc -l)" 3 "slurm.sh: two jobs do all images"
ok "and the same mask" cmp "slurm/${stem}_mask.png" "found/${stem}_mask.png"

python=/usr/bin/python3
if $python -c 'import numpy' 2>/dev/null; then
    tile "${images[0]}" >tiles.tar
    is "$($python "$TOP/examples/read_stream.py" <tiles.tar | wc -l)" \
        "$(tar tf tiles.tar | grep -c "image.npy$")" "read_stream.py sees every sample"
    size=$(stat -c %s tiles.tar)
    head -c $((size / 2)) tiles.tar >cut.tar
    ok "and refuses a cut stream" sh -c "! $python $TOP/examples/read_stream.py <cut.tar"
else
    skip "NumPy is not installed" 2
fi

# ---- Snakemake, Nextflow ----

if command -v snakemake >/dev/null; then
    ok "Snakefile" snakemake -q -s "$TOP/examples/Snakefile" -c 2 --config images=images out=snake chunk=2
    tile -q "${images[@]}" | predict -q --keep-image | label -q -T direct.tsv
    is "$(cat snake/cells.tsv)" "$(cat direct.tsv)" "gives label's table of all chunks"
    ok "and a page" test -s snake/index.html
else
    skip "no snakemake" 3
fi

# ---- where people are ----

cat >syntax.groovy <<'END'
def unit = new org.codehaus.groovy.control.CompilationUnit()
unit.addSource(new File(args[0]))
unit.compile(org.codehaus.groovy.control.Phases.CONVERSION)
END
# What the script asks of QuPath, and no more.
cat >standin.groovy <<'END'
def calibration = new Expando(hasPixelSizeMicrons: { -> true })
def server = new Expando(getURIs: { -> [new File(args[1]).toURI()] }, nResolutions: { -> 1 },
                         getPixelCalibration: { -> calibration })
def found = []
def binding = new Binding(
    getCurrentImageData: { -> new Expando(getServer: { -> server }) }, clearDetections: { -> found.clear() },
    importObjectsFromFile: { path -> found.addAll(new groovy.json.JsonSlurper().parse(new File(path)).features) },
    getDetectionObjects: { -> found }, fireHierarchyUpdate: { -> })
new GroovyShell(binding).evaluate(new File(args[0]))
END
cp "${images[0]}" "it's \$(a) name.png"
cells=$(tile -q "${images[0]}" | predict -q | label -q -T - | tail -n +2 | wc -l)
if command -v groovy >/dev/null && command -v java >/dev/null; then
    JAVA_HOME=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
    export JAVA_HOME
    ok "segment.nf is Groovy" groovy syntax.groovy "$TOP/examples/segment.nf"
    echo 'def (' >bad.groovy
    ok "what is not is noticed" sh -c '! groovy syntax.groovy bad.groovy'
    is "$(groovy standin.groovy "$TOP/examples/qupath.groovy" "it's \$(a) name.png" | tail -n 1)" "$cells cells" \
        "qupath.groovy, with a few lines in QuPath's place, brings the cells back"
    is "$(groovy standin.groovy "$TOP/examples/qupath.groovy" none.png | tail -n 1)" \
        "the pipe failed; its reason stands above" "and says where it cannot"
else
    skip "no groovy" 4
fi

# ImageJ's macro language is that of Fiji.
cat >macro.ijm <<END
open("$PWD/${images[0]}");
runMacro("$TOP/examples/fiji.ijm");
print("found " + roiManager("count") + " in " + getTitle());
roiManager("save", "$PWD/rois.zip");
selectWindow("Log");
saveAs("Text", "$PWD/log.txt");
run("Quit");
END
if [ -f /usr/share/java/ij.jar ] && command -v java >/dev/null && command -v xvfb-run >/dev/null; then
    HOME=$TMP timeout 300 xvfb-run -a java -cp /usr/share/java/ij.jar ij.ImageJ -macro "$PWD/macro.ijm" >message 2>&1
    is "$(grep found log.txt 2>/dev/null)" "found $cells in $stem.png" "fiji.ijm in ImageJ brings the cells back"
    ok "as they are" test -s rois.zip
else
    skip "no ImageJ with an Xvfb" 2
fi

# ---- napari ----

mkdir -p standin correct && cat >standin/napari.py <<'END'
# An annotator who takes the first cell away.
class Layer:
    def __init__(self, data):
        self.data = data
class Viewer:
    def __init__(self, title):
        self.title = title
    def open(self, path, plugin):
        open(path, "rb").close()
    def add_labels(self, data, name):
        data[data == 1] = 0
        return Layer(data)
def run():
    pass
END
if $python -c 'import tifffile' 2>/dev/null; then
    tile -q "${images[@]}" | predict -q --keep-image >found.tar
    suggest -n 2 found.tar >next.tsv
    tail -n +2 next.tsv | cut -f 2 | xargs -d '\n' tile -q | predict -q | label -q -o correct/
    before=$(label -q -m keep -T - correct/*.tif | wc -l)
    ok "correct.py, with a few lines in napari's place" env PYTHONPATH=standin "$python" "$TOP/examples/correct.py" next.tsv correct
    is "$(label -q -m keep -T - correct/*.tif | wc -l)" "$((before - 2))" "saves what was corrected"
    ok "and nothing in part" sh -c '! ls correct/*.part 2>/dev/null'
else
    skip "no tifffile" 3
fi
done_testing
