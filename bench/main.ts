import { Interrupted, say } from './mode.ts'
import { modes, ratios } from './modes/index.ts'
import { readOptions, UsageError } from './options.ts'

const names = ['quick', ...Object.keys(modes)]

const usage = `npm run bench -- [${names.join(' | ')}]
                 [--commands <n>] [--rounds <n>] [--json] [--check]

${[ratios, ...Object.values(modes)].flatMap(mode => mode.usage.map(line => `  ${line}`)).join('\n')}
  --commands <n>   commands a work
  --rounds <n>     rounds, default 3; medians are shown
  --json           one JSON object on standard output (npm itself is quiet with: npm run -s bench -- --json)
  --check          exit 1 when a target is missed`

const main = async (): Promise<number> => {
  try {
    const options = readOptions(names)
    const chosen = modes[options.mode ?? ''] ?? ratios
    if (!options.help) return await chosen.run(options)
    process.stdout.write(`${usage}\n`)
    return 0
  } catch (error) {
    if (error instanceof Interrupted) return 130
    if (!(error instanceof UsageError)) throw error
    say(`${error.message}\n\n${usage}`)
    return 2
  }
}

process.exitCode = await main()
