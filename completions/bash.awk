# A completion for bash out of what `PROGRAM --list-options` prints.
# PROGRAM --list-options | awk -f completions/bash.awk -v name=PROGRAM

BEGIN { FS = "\t" }

NR == 1 { commands = $3; next }

{
    all = all " --" $2
    if ($3 == "")
        next
    option = ($1 == "" ? "" : "-" $1 " | ") "--" $2
    words = $4
    gsub(/\|/, " ", words)
    cases = cases "    " option ")\n"
    if (words != "")
        cases = cases "        mapfile -t COMPREPLY < <(compgen -W '" words "' -- \"$cur\")\n"
    else if ($3 ~ /FILE|STREAM|WEIGHTS|IMAGE|MASK/)
        cases = cases "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    else if ($3 ~ /DIR/)
        cases = cases "        mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
    cases = cases "        return\n        ;;\n"
}

END {
    id = name
    gsub(/[^A-Za-z0-9]/, "_", id)
    gsub(/\|/, " ", commands)
    print "# bash completion for " name ", made from its options"
    print "_morphoseg_" id "() {"
    print "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}"
    print "    [ \"$cur\" != = ] || cur="
    print "    [ \"$prev\" != = ] || prev=${COMP_WORDS[COMP_CWORD - 2]}"
    print "    COMPREPLY=()"
    print "    case $prev in"
    printf "%s", cases
    print "    esac"
    print "    case $cur in"
    print "    -*) mapfile -t COMPREPLY < <(compgen -W '" substr(all, 2) "' -- \"$cur\") ;;"
    if (commands != "") {
        print "    *)"
        print "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")"
        print "        [ \"$COMP_CWORD\" -gt 1 ] ||"
        print "            mapfile -t COMPREPLY < <(compgen -W '" commands "' -- \"$cur\")"
        print "        ;;"
    } else {
        print "    *) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;"
    }
    print "    esac"
    print "}"
    print "complete -o filenames -F _morphoseg_" id " " name
}
