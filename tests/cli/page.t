#!/bin/bash
# The page of gallery, in a real Chromium without a window: mouse, keyboard, screen reader, colors.
. "$(dirname "$0")/../tap.sh"
for name in chromium chromium-browser google-chrome; do
    chromium=$(command -v $name) && break
done
[ -n "$chromium" ] || skip_all "no Chromium"
[ -x /usr/bin/python3 ] || skip_all "no python3 to speak with Chromium"
plan 1
cd "$TMP" || exit 1

# Two conditions; one image is broken; a name that HTML and addresses must escape.
mkdir -p in/control in/drug
synth -q -n 7 -s 160x120 --seed 8 -o drawn || exit 1
n=0
for image in drawn/images/*.png; do
    n=$((n + 1))
    if [ $((n % 2)) = 0 ]; then mv "$image" "in/control/c$n.png"; else mv "$image" "in/drug/d$n.png"; fi
done
mv in/drug/d1.png 'in/drug/d 1 & <b>#%41.png'
printf 'no image' >in/drug/broken.tif
printf 'name\tdsc\tap50\na\t0.5\t0.25\n' >first.tsv && printf 'name\tdsc\tap50\na\t0.7\t0.5\n' >second.tsv
segment -q -r -o out --history first.tsv --history second.tsv in 2>/dev/null
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$TOP/tests/page.py" "$chromium" out/index.html 8 >checks
is "$(grep -c '^ok' checks) $(grep '^not ok' checks)" "56 " "what page.py checks"
done_testing
