# gnuplot -e "data='FILE'; rows=N; label='...'; svg='FILE'" effects.gp
# A row a comparison: y, name, mean and half the 95 % interval; 0 is no effect.
set datafile separator "\t"
height = 110 + 26 * rows
set terminal svg size 760,height font "sans-serif,13" background "white"
set output svg
set lmargin at screen 0.32
set rmargin at screen 0.97
set tmargin at screen 1 - 20.0 / height
set bmargin at screen 74.0 / height
set border 1
set tics nomirror scale 0.5
set ytics scale 0
set grid xtics linecolor rgb "#dddddd"
set arrow from 0, graph 0 to 0, graph 1 nohead linecolor rgb "#222222" dashtype 2
set xlabel label
set offsets 0, 0, 0, 0
stats data using ($3 - $4) nooutput
low = STATS_min < 0 ? STATS_min : 0
stats data using ($3 + $4) nooutput
high = STATS_max > 0 ? STATS_max : 0
pad = 0.08 * (high - low) + 1e-9
set yrange [-rows + 0.4 : 0.6]
set xrange [low - pad : high + pad]
unset key
plot data using 3:1:4:ytic(2) with xerrorbars linecolor rgb "#0072B2" linewidth 1.6 pointtype 7 pointsize 0.8
