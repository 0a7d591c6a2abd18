// Sends alerts in a separate process, to be killed: node alerts-child.mjs <compiled src> <database url> <options json>
const [, , compiled, databaseUrl, json] = process.argv
const { createCommandBus } = await import(`${compiled}/index.js`)
const bus = createCommandBus({ databaseUrl, ...JSON.parse(json) })
await bus.alerts.run()
