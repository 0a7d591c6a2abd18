// A process that makes requests: node requests-child.mjs <compiled src> <database url> <options json>
const [, , compiled, databaseUrl, json] = process.argv
const { createCommandBus } = await import(`${compiled}/index.js`)
const { count, name, log } = JSON.parse(json)

const bus = createCommandBus({ databaseUrl, service: 'shop', ...log })
await bus.ready()
const answers = await Promise.all(
  Array.from({ length: count }, (_, i) => bus.request('payments', 'Echo', { from: name, i }, { timeoutMs: 100_000 })),
)
process.stdout.write(`${JSON.stringify(answers.map(({ data }) => data))}\n`)
await bus.close()
