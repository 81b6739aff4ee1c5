# fish completion for duet
set -l verbs inspect models bench
set -l chat "not __fish_seen_subcommand_from $verbs"
set -l engine "not __fish_seen_subcommand_from models"

complete -c duet -f
complete -c duet -n __fish_use_subcommand -a inspect -d 'show what the engine sees'
complete -c duet -n __fish_use_subcommand -a models -d 'list the models installed'
complete -c duet -n __fish_use_subcommand -a bench -d 'measure the speed'
complete -c duet -n '__fish_seen_subcommand_from inspect' -a 'model tokens prompt logits'

complete -c duet -s h -l help -d 'print the options'
complete -c duet -s V -l version -d 'print the version'

complete -c duet -n $engine -s m -l model -x -d 'model' -a '(duet models 2>/dev/null | cut -f1) (__fish_complete_suffix .gguf)'
complete -c duet -n $engine -l device -x -a 'auto cpu cuda' -d 'where it runs'
complete -c duet -n $engine -l cpu -d 'run on the CPU'
complete -c duet -n $engine -l cuda -d 'run on the GPU'
complete -c duet -n $engine -s t -l threads -x -d 'CPU threads'
complete -c duet -n $engine -l ctx -x -d 'longest conversation in tokens'
complete -c duet -l json -d 'JSON instead of text'

complete -c duet -n $chat -s p -l prompt -x -d 'the question'
complete -c duet -n $chat -s f -l file -r -F -d 'text put before the question'
complete -c duet -n $chat -l system -x -d 'what the model is told beforehand'
complete -c duet -n $chat -s n -l max-tokens -x -d 'longest answer in tokens'
complete -c duet -n $chat -l temp -x -d 'temperature'
complete -c duet -n $chat -l top-k -x -d 'of the N likeliest tokens'
complete -c duet -n $chat -l top-p -x -d 'of the likeliest that make up this share'
complete -c duet -n $chat -l min-p -x -d 'of those X times as likely as the first'
complete -c duet -n $chat -l repeat-penalty -x -d 'avoid what was just said'
complete -c duet -n $chat -l seed -x -d 'same seed, same answer'
complete -c duet -n $chat -s c -l continue -d 'go on with the last conversation'
complete -c duet -n $chat -l session -x -d 'go on with this conversation'
complete -c duet -n $chat -l no-log -d 'keep nothing'
complete -c duet -n $chat -l db -r -F -d 'the history database'
complete -c duet -n $chat -s R -l hide-reasoning -d 'do not show the reasoning'
complete -c duet -n $chat -l plain -d 'line by line'
complete -c duet -n $chat -l color -x -a 'auto on off' -d 'colour'
complete -c duet -n $chat -s q -l quiet -d 'no notices'
complete -c duet -n $chat -l verbose -d 'numbers on stderr'
complete -c duet -n $chat -l dirs -d 'where duet keeps things'

complete -c duet -n '__fish_seen_subcommand_from inspect' -l special -d 'control tokens are recognised'
complete -c duet -n '__fish_seen_subcommand_from inspect' -l jsonl -d 'a JSON object a line'
complete -c duet -n '__fish_seen_subcommand_from inspect' -l greedy -x -d 'then the N likeliest tokens'
complete -c duet -n '__fish_seen_subcommand_from inspect bench' -l kv-type -x -a 'f16 f32' -d 'of the KV cache'
complete -c duet -n '__fish_seen_subcommand_from bench' -l prompts -x -d 'sizes of the prompts'
complete -c duet -n '__fish_seen_subcommand_from bench' -l generate -x -d 'tokens to generate'
complete -c duet -n '__fish_seen_subcommand_from bench' -l runs -x -d 'times each is measured'
