import { expect, test } from 'vitest'
import { replayRun } from '../../src/application/runs/read-run-history.ts'
import { fold } from '../../src/domain/decider.ts'
import { workflowRun } from '../../src/domain/workflow-run/index.ts'
import type { RunIntent } from '../../src/domain/workflow-run/intents.ts'
import { runStream } from '../../src/domain/workflow-run/names.ts'
import { initiate, note, RUN, result } from '../support/lives/workflow-life.ts'

const FILES = 2_000

/** The events of a run whose files end one after the other. */
const longRun = () => {
  let state = workflowRun.initial
  const take = (intent: RunIntent) => {
    const decided = workflowRun.decide(intent, state)
    if (decided._tag === 'Left') throw new Error(decided.left.type)
    state = fold(workflowRun, decided.right, state)
    return decided.right
  }
  const events = take(initiate(FILES)).concat(
    ...Array.from({ length: FILES }, (_, i) => take(note(1, result(i, 'completed')))),
  )
  return events.map((event, revision) => ({ stream: runStream(RUN), revision, id: '', event, context: {} as never }))
}

test('G6: reading the history of a long run, with as many events as files, does not block the event loop', async () => {
  const events = longRun()
  let turns = 0
  const turn = (): void => {
    turns++
    next = setImmediate(turn)
  }
  let next = setImmediate(turn)
  const history = await replayRun(RUN, events)
  clearImmediate(next)
  expect(turns).toBeGreaterThan(FILES / 100)
  expect(history.items).toHaveLength(events.length)
  expect(history.items.every(({ state }) => !('files' in state))).toBe(true)
  expect(history.state?.files.map(({ status }) => status)).toEqual(Array.from({ length: FILES }, () => 'completed'))
})
