// Counts figures in a separate process, to be killed: node figures-child.mjs <compiled src> <database url> <options json>
const [, , compiled, databaseUrl, json] = process.argv
const { createCommandBus } = await import(`${compiled}/index.js`)
const bus = createCommandBus({
  databaseUrl,
  ...JSON.parse(json),
  figures: { limits: { batch: 5, standbyMs: 50, pollMs: 50 } },
})
await bus.figures.count()
