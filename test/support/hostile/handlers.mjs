import { appendFileSync } from 'node:fs'

const { PermanentCommandError, TransientCommandError } = await import(process.env.COMMANDBUS_INDEX)

/** What was done, outside of anything that the bus keeps: one line for each time that a handler came to its end. */
const note = key => appendFileSync(process.env.LEDGER, `${JSON.stringify({ key, at: Date.now() })}\n`)

const memberOf = (data, name) => (typeof data === 'object' && data !== null ? data[name] : undefined)

/** `fails`: so many attempts fail with a transient error; `broken`: it fails until its payload is edited. */
const carryOut =
  wish =>
  (data, { command: { domain, commandId }, totalAttempts }) => {
    const wanted = wish(data)
    const said = String(memberOf(wanted, 'marker'))
    if (totalAttempts <= memberOf(wanted, 'fails')) throw new TransientCommandError('BUSY', `busy with ${said}`)
    if (memberOf(wanted, 'broken') === true) throw new PermanentCommandError('BROKEN', `no sense in ${said}`)
    note(`${domain}/${commandId}`)
    return { done: said }
  }

/** Files fail before the round that their input names. */
const batch = data => ({
  files: data.files.map(({ index, input }) => {
    if (data.round < memberOf(input, 'fromRound')) {
      return { index, status: 'failed', errorCode: 'BUSY', errorMessage: `busy with ${memberOf(input, 'marker')}` }
    }
    note(`file/${data.runId}/${index}`)
    return { index, status: 'completed' }
  }),
})

export const handlers = {
  shop: { '*': carryOut(data => data) },
  operations: { '*': carryOut(data => memberOf(data, 'parameters')) },
  workflow: { ProcessBatch: batch, '*': carryOut(data => memberOf(data, 'input')) },
}
