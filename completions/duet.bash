# bash completion for duet. What there is to complete, the program itself tells (--list-options).

# _duet_words VALUE: what may stand there, in the table's terms.
_duet_words()
{
    case $1 in
    *=*) compgen -W "${1#*=}" -- "$cur" ;;
    *'|'*) compgen -W "${1//|/ }" -- "$cur" ;;
    NAME)
        compgen -W "$("$duet" models -q 2>/dev/null)" -- "$cur"
        compgen -f -X '!*.gguf' -- "$cur"
        compgen -d -S / -- "$cur"
        ;;
    ID) compgen -W "$("$duet" log -q 2>/dev/null)" -- "$cur" ;;
    FILE | OUT) compgen -f -- "$cur" ;;
    esac
}

_duet()
{
    local duet=$1 cur=$2 prev=$3 verb=chat after=- verbs=() options= table where names value help w

    COMPREPLY=()
    table=$("$duet" --list-options 2>/dev/null) || return
    while IFS=$'\t' read -r where names value help; do
        [[ $where == verb ]] || continue
        verbs+=("$names")
        for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
            [[ $w == "$names" ]] && verb=$names after=$value
        done
    done <<<"$table"
    while IFS=$'\t' read -r where names value help; do
        [[ ,$where, == *,$verb,* ]] || continue
        if [[ $value != - && $prev == -* && " $names " == *" $prev "* ]]; then
            mapfile -t COMPREPLY < <(_duet_words "$value")
            return
        fi
        options+=" $names"
    done <<<"$table"

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    elif [[ $COMP_CWORD -eq 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${verbs[*]}" -- "$cur")
    else
        mapfile -t COMPREPLY < <(_duet_words "$after")
    fi
}
complete -F _duet duet
