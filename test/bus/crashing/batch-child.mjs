// Sends a batch in a process of its own, to be killed: node batch-child.mjs <compiled src> <database url> <count> <the ids without their last 12 digits>
const [, , compiled, databaseUrl, count, ids] = process.argv
const { createCommandBus } = await import(`${compiled}/index.js`)

const bus = createCommandBus({ databaseUrl })
await bus.sendBatch(
  'payments',
  Array.from({ length: Number(count) }, (_, i) => ({
    commandId: `${ids}${String(i).padStart(12, '0')}`,
    commandType: 'Charge',
    data: { i },
  })),
)
process.stdout.write('sent\n')
