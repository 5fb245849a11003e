# bash completion for gamesactl; made by packaging/completions/generate
_gamesactl_names() {
    gamesactl "$1" --json 2>/dev/null | grep -o '"Name": "[^"]*"' | cut -d'"' -f4
}
_gamesactl() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb="" word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -* ]] && { verb=${COMP_WORDS[i]}; break; }
    done
    if [[ -z $verb ]]; then
        COMPREPLY=($(compgen -W 'status sensors tunables profiles set-profile hold release launch pause resume limit set confirm reset reload monitor explain decisions history export crystal flight neural doctor record config dashboard version --help --version' -- "$current"))
        return
    fi
    case $verb in
        status)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            ;;
        sensors)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--all --json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W "$(_gamesactl_names sensors)" -- "$current"))
            ;;
        tunables)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--all --json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W "$(_gamesactl_names tunables)" -- "$current"))
            ;;
        profiles)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            ;;
        set-profile)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W "$(_gamesactl_names profiles)" -- "$current"))
            ;;
        hold)
            case $previous in --for) COMPREPLY=(); return ;; esac
            case $previous in --reason) COMPREPLY=(); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--for --reason --json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W "$(_gamesactl_names profiles)" -- "$current"))
            ;;
        release)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            ;;
        launch)
            case $previous in --profile|-p) COMPREPLY=($(compgen -W "$(_gamesactl_names profiles)" -- "$current")); return ;; esac
            case $previous in --reason) COMPREPLY=(); return ;; esac
            for ((i = 2; i < COMP_CWORD; i++)); do
                [[ ${COMP_WORDS[i]} == -- ]] || continue
                type _command_offset >/dev/null 2>&1 && _command_offset $((i + 1))
                return
            done
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--profile --reason --anyway --json --no-color --help' -- "$current")); return; fi
            ;;
        pause)
            case $previous in --for) COMPREPLY=(); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--for --json --no-color --help' -- "$current")); return; fi
            ;;
        resume)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            ;;
        limit)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--clear --json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W "$(_gamesactl_names sensors)" -- "$current"))
            ;;
        set)
            case $previous in --revert-after) COMPREPLY=(); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--revert-after --keep --json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W "$(_gamesactl_names tunables)" -- "$current"))
            ;;
        confirm)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W "$(_gamesactl_names tunables)" -- "$current"))
            ;;
        reset)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W "$(_gamesactl_names tunables)" -- "$current"))
            ;;
        reload)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            ;;
        monitor)
            case $previous in --interval|-i) COMPREPLY=(); return ;; esac
            case $previous in --count|-n) COMPREPLY=(); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--interval --count --json --no-color --help' -- "$current")); return; fi
            ;;
        explain)
            case $previous in --sensor) COMPREPLY=($(compgen -W "$(_gamesactl_names sensors)" -- "$current")); return ;; esac
            case $previous in --tunable) COMPREPLY=($(compgen -W "$(_gamesactl_names tunables)" -- "$current")); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--sensor --tunable --json --no-color --help' -- "$current")); return; fi
            ;;
        decisions)
            case $previous in --count|-n) COMPREPLY=(); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--count --json --no-color --help' -- "$current")); return; fi
            ;;
        history)
            case $previous in --since) COMPREPLY=(); return ;; esac
            case $previous in --points|-n) COMPREPLY=(); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--since --points --all --json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W "$(_gamesactl_names sensors)" -- "$current"))
            ;;
        export)
            case $previous in --format|-f) COMPREPLY=($(compgen -W 'csv json' -- "$current")); return ;; esac
            case $previous in --since) COMPREPLY=(); return ;; esac
            case $previous in --sensor) COMPREPLY=($(compgen -W "$(_gamesactl_names sensors)" -- "$current")); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--format --since --sensor --json --no-color --help' -- "$current")); return; fi
            ;;
        crystal)
            case $previous in --command) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--command --apply --json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W 'stats blocks dump advise compact' -- "$current"))
            ;;
        flight)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W 'list show export' -- "$current"))
            ;;
        neural)
            case $previous in --plot) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--plot --json --no-color --help' -- "$current")); return; fi
            if ((COMP_CWORD > 2)); then COMPREPLY=($(compgen -f -W 'all forecast policy anomaly shadow advise act' -- "$current")); return; fi
            COMPREPLY=($(compgen -W 'status shadow mode checkpoint reset evaluate' -- "$current"))
            ;;
        doctor)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            ;;
        record)
            case $previous in --for) COMPREPLY=(); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--for --json --no-color --help' -- "$current")); return; fi
            ;;
        config)
            case $previous in --config) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--config --origin --json --no-color --help' -- "$current")); return; fi
            COMPREPLY=($(compgen -W 'check show' -- "$current"))
            ;;
        dashboard)
            case $previous in --port) COMPREPLY=(); return ;; esac
            case $previous in --bind) COMPREPLY=(); return ;; esac
            case $previous in --name) COMPREPLY=(); return ;; esac
            case $previous in --tls-cert) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
            case $previous in --tls-key) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
            case $previous in --mangohud-log) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--port --bind --name --tls-cert --tls-key --read-only --no-open --mangohud-log --json --no-color --help' -- "$current")); return; fi
            ;;
        version)
            if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--json --no-color --help' -- "$current")); return; fi
            ;;
    esac
}
complete -F _gamesactl gamesactl
