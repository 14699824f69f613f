/** `tubelet completion …`: a script that completes commands, options and their values in a shell, made from the commands themselves. */
import { Argument, Command } from 'commander'
import { printLine } from './terminal.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** @param program The command whose commands are completed. */
export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('Print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  tubelet completion bash > ~/.local/share/bash-completion/completions/tubelet
  tubelet completion zsh > ~/.zfunc/_tubelet     (with ~/.zfunc in fpath)
  tubelet completion fish > ~/.config/fish/completions/tubelet.fish
`,
    )
    .action((shell: Shell) => {
      for (const line of shell === 'fish'
        ? fish(program)
        : [...(shell === 'zsh' ? ['#compdef tubelet', 'autoload -U +X bashcompinit && bashcompinit'] : []), ...bash(program)])
        printLine(line)
    })
}

interface Place {
  /** The names of the commands that lead here. */
  way: string[]
  command: Command
}

/** A command and all commands below it. */
function places(command: Command, way: string[] = []): Place[] {
  return [{ way, command }, ...command.commands.flatMap((one) => places(one, [...way, one.name()]))]
}

const optionsOf = (command: Command) => command.createHelp().visibleOptions(command)
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** Where an option takes one of a few values, they are offered; else, and for arguments, files are. */
function bash(program: Command): string[] {
  const cases = places(program).map(({ way, command }) => {
    const words = [...command.commands.map((one) => one.name()), ...optionsOf(command).flatMap(({ long }) => long ?? [])]
    return `    ${quoted(way.join(' '))}) words=${quoted(words.join(' '))} ;;`
  })
  const values = places(program).flatMap(({ way, command }) =>
    optionsOf(command).flatMap(({ long, argChoices }) =>
      long && argChoices ? [`    ${quoted([...way, long].join(' '))}) words=${quoted(argChoices.join(' '))} ;;`] : [],
    ),
  )
  const commands = places(program).flatMap(({ way }) => (way.length > 0 ? [quoted(way.join(' '))] : []))
  return [
    '_tubelet() {',
    '  local way="" word words="" current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    `    case "\${way:+$way }$word" in ${commands.join('|')}) way="\${way:+$way }$word" ;; esac`,
    '  done',
    '  case "$way" in',
    ...cases,
    '  esac',
    '  case "${way:+$way }$before" in',
    ...values,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -o bashdefault -F _tubelet tubelet',
  ]
}

function fish(program: Command): string[] {
  return places(program).flatMap(({ way, command }) => {
    const below = command.commands.map((one) => one.name())
    const here = [
      ...way.map((name) => `__fish_seen_subcommand_from ${name}`),
      ...(below.length > 0 ? [`not __fish_seen_subcommand_from ${below.join(' ')}`] : []),
    ]
    const when = here.length > 0 ? ` -n ${quoted(here.join('; and '))}` : ''
    return [
      ...command.commands.map((one) => `complete -c tubelet${when} -a ${one.name()} -d ${quoted(one.description())}`),
      ...optionsOf(command).flatMap(({ long, description, argChoices, required }) => {
        if (!long) return []
        const value = argChoices ? ` -x -a ${quoted(argChoices.join(' '))}` : required ? ' -r' : ''
        return [`complete -c tubelet${when} -l ${long.slice(2)}${value} -d ${quoted(description)}`]
      }),
    ]
  })
}
