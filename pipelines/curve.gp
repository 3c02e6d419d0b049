# gnuplot -e "log='X.log.tsv'; plot_title='...'" curve.gp: the loss of a training run as SVG.
set terminal svg size 420,260 font "sans-serif,11" background "white"
set datafile separator "\t"
set title plot_title noenhanced
set grid ytics linecolor rgb "#dddddd"
set border 3
set tics nomirror
set xlabel "epoch"
set ylabel "loss"
set yrange [0:*]
unset key
plot log using (column("epoch")):(column("loss")) with lines linewidth 1.6 linecolor rgb "#0072B2"
