# bash completion for duet
_duet()
{
    local cur=$2 prev=$3 verb= w
    for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $w in inspect | models | bench) verb=$w && break ;; esac
    done

    case $prev in
    -m | --model)
        COMPREPLY=($(compgen -W "$(duet models 2>/dev/null | cut -f1)" -- "$cur") $(compgen -f -X '!*.gguf' -- "$cur") $(compgen -d -S / -- "$cur"))
        return ;;
    -f | --file | --db)
        COMPREPLY=($(compgen -f -- "$cur"))
        return ;;
    --device) COMPREPLY=($(compgen -W 'auto cpu cuda' -- "$cur")); return ;;
    --color) COMPREPLY=($(compgen -W 'auto on off' -- "$cur")); return ;;
    --kv-type) COMPREPLY=($(compgen -W 'f16 f32' -- "$cur")); return ;;
    -p | --prompt | --system | -t | --threads | --ctx | -n | --max-tokens | --temp | --top-k | --top-p | \
        --min-p | --repeat-penalty | --seed | --session | --greedy | --prompts | --generate | --runs)
        return ;;
    inspect) COMPREPLY=($(compgen -W 'model tokens prompt logits' -- "$cur")); return ;;
    esac

    if [[ $cur == -* ]]; then
        local common='--help --version' engine='--model --device --cpu --cuda --threads --ctx'
        case $verb in
        inspect) w="$engine --json --special --jsonl --greedy --kv-type" ;;
        models) w='--json' ;;
        bench) w="$engine --json --kv-type --prompts --generate --runs" ;;
        *) w="--prompt --file --system $engine --max-tokens --temp --top-k --top-p --min-p --repeat-penalty
              --seed --continue --session --no-log --db --json --hide-reasoning --plain --color --quiet
              --verbose --dirs" ;;
        esac
        COMPREPLY=($(compgen -W "$w $common" -- "$cur"))
    elif [[ -z $verb && $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W 'inspect models bench' -- "$cur"))
    fi
}
complete -F _duet duet
