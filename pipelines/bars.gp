# gnuplot -e "table='X.tsv'; plot_title='...'" bars.gp: DSC of ours and the paper's as SVG.
set terminal svg size 960,460 font "sans-serif,11" background "white"
set datafile separator "\t"
set datafile missing "nan"
set title plot_title noenhanced
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 border -1
set boxwidth 0.9
set grid ytics
set bmargin 8
set rmargin 14
set yrange [0:100]
set ylabel "DSC, %"
set xtics rotate by -35 noenhanced
set key above
plot table using (column("DSC")):xtic(strcol("run")) title "ours" linecolor rgb "#2166ac", \
     table using (column("DSC_paper")) title "paper" linecolor rgb "#bdbdbd"
