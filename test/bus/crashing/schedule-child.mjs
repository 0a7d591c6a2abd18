// Sends the commands of schedules in a separate process, to be killed, whose clock may be wrong:
// node schedule-child.mjs <compiled src> <database url> <options json>
const [, , compiled, databaseUrl, json] = process.argv
const { wrongBy, log } = JSON.parse(json)

const RightDate = Date
globalThis.Date = class extends RightDate {
  constructor(...given) {
    if (given.length === 0) super(RightDate.now() + wrongBy)
    else super(...given)
  }
  static now() {
    return RightDate.now() + wrongBy
  }
}

const { createCommandBus } = await import(`${compiled}/index.js`)
const bus = createCommandBus({ databaseUrl, ...log, schedules: { limits: { standbyMs: 100 } } })
await bus.schedules.carryOut()
