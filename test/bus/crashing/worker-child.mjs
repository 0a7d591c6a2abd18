// A worker in a separate process, to be killed: node worker-child.mjs <compiled src> <database url> <options json>
const [, , compiled, databaseUrl, json] = process.argv
const { createCommandBus } = await import(`${compiled}/index.js`)
const { hang, leaseSeconds, handlerMs, log } = JSON.parse(json)

const bus = createCommandBus({ databaseUrl, ...log })
const worker = bus.worker({
  domain: 'payments',
  concurrency: 5,
  leaseSeconds,
  pollMs: 50,
  handlers: {
    '*': async (data, { command, attempt }) => {
      process.stdout.write(`handling ${command.commandId} ${attempt}\n`)
      if (data.poison) process.kill(process.pid, 'SIGKILL')
      if (hang) await new Promise(() => {})
      if (handlerMs) await new Promise(resolve => setTimeout(resolve, handlerMs))
      return attempt
    },
  },
})
await worker.start()
process.stdout.write('started\n')
process.on('SIGTERM', () => bus.close().then(() => process.exit(0)))
