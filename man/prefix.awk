# A man page for programs that are installed under other names: PROGRAM_PREFIX.
# awk -v prefix=ms- -v programs="tile predict" -f man/prefix.awk page

BEGIN {
    count = split(programs, names, " ")
    for (i = 1; i <= count; i++)
        is_program[names[i]] = 1
}

# Commands of an example: what stands first, or after a pipe, a quote, a prompt.
function rename_commands(line,    done, word, before) {
    done = ""
    while (match(line, /[a-z]+/)) {
        word = substr(line, RSTART, RLENGTH)
        before = done substr(line, 1, RSTART - 1)
        done = before ((word in is_program) && starts_command(before) &&
            substr(line, RSTART + RLENGTH, 1) ~ /^[ \\]?$/ ? prefix : "") word
        line = substr(line, RSTART + RLENGTH)
    }
    return done line
}

function starts_command(before) {
    return before ~ /(^|[$|;&(`'"]|do|then|exec|ssh [a-z]+|parallel)[ \t]*$/
}

$1 == ".Dt" && (tolower($2) in is_program) { $2 = toupper(prefix) $2 }
($1 == ".Nm" || $1 == ".Xr") && ($2 in is_program) { $2 = prefix $2 }
$1 == ".Bd" && /-literal/ { literal = 1; print; next }
$1 == ".Ed" { literal = 0 }
($1 == ".Ql" || ($1 == ".Pq" && $2 == "Ql")) && match($0, /Ql /) {
    print substr($0, 1, RSTART + 2) rename_commands(substr($0, RSTART + 3))
    next
}
$1 == ".Dl" { print ".Dl " rename_commands(substr($0, 5)); next }
literal && !/^\./ { print rename_commands($0); next }
{ print }
