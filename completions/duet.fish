# fish completion for duet. What there is to complete, the program itself tells (--list-options).

# __duet_words VALUE: what may stand there, in the table's terms.
function __duet_words
    set -l duet (commandline -opc)[1]
    switch $argv[1]
        case '*=*'
            string split -- ' ' (string replace -r -- '^[^=]*=' '' $argv[1])
        case '*|*'
            string split -- '|' $argv[1]
        case NAME
            $duet models -q 2>/dev/null
            __fish_complete_suffix .gguf
        case ID
            $duet log -q 2>/dev/null
        case FILE OUT
            __fish_complete_path (commandline -ct)
    end
end

function __duet_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    command -q $words[1]; or return
    set -l table ($words[1] --list-options 2>/dev/null)
    set -l verb chat
    set -l after -
    set -l previous $words[-1]

    for row in (string match -e -r '^verb\t' $table)
        set -l column (string split -- \t $row)
        if contains -- $column[2] $words[2..-1]
            set verb $column[2]
            set after $column[3]
        else if test (count $words) -eq 1; and not string match -q -- '-*' $current
            printf '%s\t%s\n' $column[2] $column[4]
        end
    end
    for row in (string match -v -e -r '^verb\t' $table)
        set -l column (string split -- \t $row)
        contains $verb (string split -- , $column[1]); or continue
        set -l names (string split -- ' ' $column[2])
        if test $column[3] != -; and contains -- $previous $names; and string match -q -- '-*' $previous
            __duet_words $column[3]
            return
        end
        if string match -q -- '-*' $current
            printf '%s\t'$column[4]'\n' $names
        end
    end
    string match -q -- '-*' $current; or __duet_words $after
end

complete -c duet -f -a '(__duet_complete)'
