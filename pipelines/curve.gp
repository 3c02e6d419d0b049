# gnuplot -e "log='X.log.tsv'; plot_title='...'" curve.gp: the loss of a training run as SVG.
set terminal svg size 360,220 font "sans-serif,9" background "white"
set datafile separator "\t"
set title plot_title noenhanced
set grid
set xlabel "epoch"
set ylabel "loss"
unset key
plot log using (column("epoch")):(column("loss")) with linespoints pointtype 7 pointsize 0.3 linecolor rgb "#2166ac"
