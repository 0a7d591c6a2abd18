// A worker that obeys the payload, to be killed: node owed-child.mjs <compiled src> <database url> <options of its bus>
const [, , compiled, databaseUrl, options] = process.argv
const { createCommandBus, PermanentCommandError, BusinessRuleError, TransientCommandError } = await import(
  `${compiled}/index.js`
)

const bus = createCommandBus({ databaseUrl, ...JSON.parse(options) })
await bus
  .worker({
    domain: 'payments',
    concurrency: 5,
    leaseSeconds: 1,
    pollMs: 50,
    handlers: {
      '*': async ({ does }, { attempt }) => {
        process.stdout.write('handling\n')
        await new Promise(resolve => setTimeout(resolve, 2))
        if (does === 'park') throw new PermanentCommandError('DECLINED', 'no')
        if (does === 'refuse') throw new BusinessRuleError('TOO_MUCH', 'no')
        if (does === 'stumble' && attempt === 1) throw new TransientCommandError('BUSY', 'later')
        return { attempt }
      },
    },
  })
  .start()
