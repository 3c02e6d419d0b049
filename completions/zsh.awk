# A completion for zsh out of what `PROGRAM --list-options` prints.
# PROGRAM --list-options | awk -f completions/zsh.awk -v name=PROGRAM

BEGIN { FS = "\t" }

NR == 1 { commands = $3; next }

function quoted(text) {
    gsub(/\[|\]|:|\\/, "\\\\&", text)
    gsub(/'/, "'\\''", text)
    return text
}

{
    action = ""
    if ($3 != "") {
        words = $4
        gsub(/\|/, " ", words)
        action = ":" quoted($3) ":"
        if (words != "")
            action = action "(" words ")"
        else if ($3 ~ /FILE|STREAM|WEIGHTS|IMAGE|MASK/)
            action = action "_files"
        else if ($3 ~ /DIR/)
            action = action "_files -/"
        else
            action = action " "
    }
    spec = "'[" quoted($5) "]" action "'"
    if ($1 == "")
        print_later = print_later " \\\n    '*--" $2 substr(spec, 2)
    else
        print_later = print_later " \\\n    '*'{-" $1 ",--" $2 "}" spec
}

END {
    gsub(/\|/, " ", commands)
    print "#compdef " name
    print "# zsh completion for " name ", made from its options"
    print "_arguments -s -S" print_later " \\"
    if (commands != "")
        print "    '1:command:(" commands ")' \\"
    print "    '*:file:_files'"
}
