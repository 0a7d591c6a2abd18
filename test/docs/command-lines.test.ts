import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { buildProgram } from '../../src/infrastructure/cli/program.ts'
import { blocksOf, type Page, readPages } from './pages.ts'

const unused = (): never => {
  throw new Error('no command is carried out here')
}
const commandsOf = (of: Command): readonly Command[] => of.commands.flatMap(one => [one, ...commandsOf(one)])

/** The program's own definitions, with nothing behind them: parsing refuses what a user would be refused. */
const definitions = (): Command => {
  const program = buildProgram({
    version: '0',
    env: {},
    reveal: () => false,
    openBus: unused,
    openForMigration: unused,
  } as never)
  for (const command of commandsOf(program)) command.exitOverride().action(() => {})
  return program
}

/** The words of a line of a shell, up to where the next command begins. */
const wordsOf = (line: string): readonly string[] => {
  const words: string[] = []
  for (const [token, quoted, double] of line.matchAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|<[\w ]+>|[^\s'"]+/g)) {
    if (/^(#.*|[|>&;]+.*|2>.*)$/.test(token) || token === '\\') break
    const end = /^([^)]*)\)$/.exec(token)
    if (end !== null) return [...words, end[1] ?? '']
    words.push(quoted ?? double ?? (token.startsWith('<') ? '5f0c2a7e-0000-4000-8000-000000000001' : token))
  }
  return words
}

const lines = (await readPages()).flatMap(blocksOf).flatMap(({ at, language, code }) =>
  language !== 'sh'
    ? []
    : code
        .replaceAll(/\\\n\s*/g, ' ')
        .split('\n')
        .flatMap(line => {
          const [, rest] = /(?<!install )(?<=^|[\s(])commandbus ([a-z].*)$/.exec(line.replace(/^\s*#.*/, '')) ?? []
          return rest === undefined ? [] : [[at, rest] as const]
        }),
)

test('K8: each command line of a block on a page is one that the program takes', async () => {
  expect(lines.length).toBeGreaterThan(60)
  const refused: string[] = []
  for (const [at, line] of lines)
    await definitions()
      .parseAsync([...wordsOf(line)], { from: 'user' })
      .catch(error => refused.push(`${at}: ${line}: ${error.message}`))
  expect(refused).toEqual([])
})

const all = definitions()
const optionsOf = (command: Command): readonly string[] => [
  ...command.options.flatMap(({ long, short }) => [long ?? [], short ?? []].flat()),
  ...(command.parent === null ? ['--help', '--version'] : optionsOf(command.parent)),
]

/** `lanes list` and `lanes show` of `lanes list|show`. */
const alternatives = ([first, ...others]: readonly string[]): readonly (readonly string[])[] =>
  first === undefined
    ? [[]]
    : alternatives(others).flatMap(rest =>
        (/^[\w|-]+$/.test(first) ? first.split('|') : [first]).map(one => [one, ...rest]),
      )

/** What is wrong with the names in `tsq retry --dry-run`; the values behind them are not looked at. */
const unknownNames = (text: string): readonly string[] =>
  alternatives(text.split(/\s+/)).flatMap(words => {
    let command = all
    for (const word of words) {
      if (command.commands.length === 0 || !/^[a-z][\w-]*$/.test(word)) break
      const next = command.commands.find(one => one.name() === word || one.aliases().includes(word))
      if (next === undefined) return [`${text}: ${word}`]
      command = next
    }
    const flags = words.filter(word => /^--?[a-z]/.test(word)).map(flag => flag.replace(/=.*$/, ''))
    return flags.filter(flag => !optionsOf(command).includes(flag)).map(flag => `${text}: ${flag}`)
  })

test('K8: each command that a page names in its text exists, with its options', async () => {
  const spansOf = ({ path, text }: Page) =>
    [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/`(?:npx )?(?:commandbus |(?=tsq ))([^`]+)`/g)].map(
      ([, span = '']) => [path, span.replaceAll(/\s+/g, ' ')] as const,
    )
  const spans = (await readPages()).filter(({ path }) => path !== 'CHANGELOG.md').flatMap(spansOf)
  expect(spans.length).toBeGreaterThan(100)
  expect(spans.flatMap(([path, span]) => unknownNames(span).map(name => `${path}: ${name}`))).toEqual([])
})
