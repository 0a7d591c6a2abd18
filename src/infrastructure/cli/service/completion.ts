import { Argument, type Command } from 'commander'
import { print } from '../text/output.ts'

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

/** What may follow a path of commands: its commands and its flags. */
type Words = ReadonlyMap<string, readonly string[]>

const wordsOf = (command: Command, path: readonly string[] = []): readonly (readonly [string, readonly string[]])[] => {
  const help = command.createHelp()
  const commands = help.visibleCommands(command)
  const flags = help.visibleOptions(command).flatMap(({ long }) => long ?? [])
  return [
    [path.join(' '), [...commands.map(one => one.name()), ...flags]] as const,
    ...commands.flatMap(one => wordsOf(one, [...path, one.name()])),
  ]
}

const cases = (words: Words): string =>
  [...words].map(([path, some]) => `    '${path}') words='${some.join(' ')}' ;;`).join('\n')

/** The words before the present one that are no flags name the command; more than two never do. */
const bash = (words: Words): string => `_commandbus() {
  local word path='' words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; *) path="\${path:+$path }$word" ;; esac
  done
  while :; do
    case "$path" in
${cases(words)}
    esac
    [ -n "$words" ] || [ -z "$path" ] && break
    case "$path" in *' '*) path="\${path% *}" ;; *) path='' ;; esac
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _commandbus commandbus`

const scripts: Readonly<Record<Shell, (words: Words) => string>> = {
  bash,
  zsh: words => `autoload -U +X bashcompinit && bashcompinit\n${bash(words)}`,
  fish: words =>
    [...words]
      .flatMap(([path, some]) =>
        some.map(word => {
          const seen =
            path === '' ? ['__fish_use_subcommand'] : path.split(' ').map(name => `__fish_seen_subcommand_from ${name}`)
          const condition = word.startsWith('--') && path === '' ? '' : ` -n '${seen.join('; and ')}'`
          return word.startsWith('--')
            ? `complete -c commandbus${condition} -l ${word.slice(2)}`
            : `complete -c commandbus -f${condition} -a ${word}`
        }),
      )
      .join('\n'),
}

export const addCompletion = (program: Command): void => {
  program
    .command('completion')
    .description('print a script that completes command lines in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .action((shell: Shell) => print(scripts[shell](new Map(wordsOf(program)))))
}
