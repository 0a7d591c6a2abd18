// A process that makes requests, or reads replies: node requests-child.mjs <compiled src> <database url> <options json>
const [, , compiled, databaseUrl, json] = process.argv
const { createCommandBus } = await import(`${compiled}/index.js`)
const { count, name, reads, log } = JSON.parse(json)

const bus = createCommandBus({ databaseUrl, service: 'shop', ...log })
await bus.ready()

/** Its handler never ends. */
const read = () =>
  bus.replies(reads).run(
    reply => {
      process.stdout.write(`${JSON.stringify(reply.data)}\n`)
      return new Promise(() => {})
    },
    { visibilitySeconds: 2 },
  )

const request = async () => {
  const requests = Array.from({ length: count }, (_, i) =>
    bus.request('payments', 'Echo', { from: name, i }, { timeoutMs: 100_000 }),
  )
  process.stdout.write(`${JSON.stringify((await Promise.all(requests)).map(({ data }) => data))}\n`)
  await bus.close()
}

await (reads === undefined ? request() : read())
