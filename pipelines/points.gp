# gnuplot -e "data='FILE'; rows=N; label1='DSC, %'; label2='HD95, pixels'; most1=100; step1=25; most2=60; step2=20; svg='FILE'; png='FILE'" points.gp
# A row a method, ours and the paper's side by side with their standard deviations, in two
# panels, from 0 to most1 and most2.  FILE has the columns y, name and, for each panel, ours, sd, the paper's, sd.
# Blue and vermilion are told apart by all kinds of color vision (Okabe and Ito), circles and
# diamonds by all printers.
set datafile separator "\t"
set datafile missing "nan"
ours  = "#0072B2"
paper = "#D55E00"
width  = 1000
height = 150 + 26 * rows
set style line 1 linecolor rgb ours pointtype 7 pointsize 0.8 linewidth 1.6
set style line 2 linecolor rgb paper pointtype 12 pointsize 1.0 linewidth 1.6
set style line 3 linecolor rgb "#dddddd" linewidth 1
set yrange [-rows + 0.4 : 0.6]
set grid xtics linestyle 3
set border 1
set tics nomirror scale 0.5
top    = 1 - 62.0 / height
bottom = 76.0 / height

do for [kind in "svg png"] {
    if (kind eq "svg") {
        set terminal svg size width,height font "sans-serif,13" background "white"
        set output svg
    } else {
        set terminal pngcairo size 2 * width,2 * height font "Sans,13" fontscale 2 linewidth 2 pointscale 2 background "white"
        set output png
    }
    set multiplot
    set tmargin at screen top
    set bmargin at screen bottom
    # Left: with the names.
    set lmargin at screen 0.36
    set rmargin at screen 0.65
    set ytics scale 0
    set xlabel label1
    set xrange [0 : most1]
    set xtics step1
    set key at screen 0.98,1 - 8.0 / height top right horizontal samplen 1 spacing 1.1
    plot data using 3:($1 + 0.15):ytic(2) with points linestyle 1 title "ours", \
         data using 3:($1 + 0.15):4 with xerrorbars linestyle 1 pointsize 0 notitle, \
         data using 5:($1 - 0.15) with points linestyle 2 title "the paper's", \
         data using 5:($1 - 0.15):6 with xerrorbars linestyle 2 pointsize 0 notitle
    unset key
    # Right: the same rows.
    set lmargin at screen 0.69
    set rmargin at screen 0.98
    set format y ""
    set xlabel label2
    set xrange [0 : most2]
    set xtics step2
    plot data using 7:($1 + 0.15):ytic("") with points linestyle 1, \
         data using 7:($1 + 0.15):8 with xerrorbars linestyle 1 pointsize 0, \
         data using 9:($1 - 0.15) with points linestyle 2, \
         data using 9:($1 - 0.15):10 with xerrorbars linestyle 2 pointsize 0
    unset multiplot
    set format y "% h"
}
