import { expect, test } from 'vitest'
import { createWrites, type RowWrite } from '../../src/projections/row-write.ts'

const file = (idx: number, row: RowWrite['row'], kind: RowWrite['kind'] = 'patch'): RowWrite => ({
  table: 'command_bus_workflow_run_file',
  kind,
  row: { run_id: 'r1', idx, ...row },
})

const collected = (...all: readonly RowWrite[]) => {
  const writes = createWrites()
  for (const write of all) writes.add(write)
  return { size: writes.size(), all: writes.all() }
}

test('several writes of one row are merged: later columns win, earlier ones stay', () => {
  expect(collected(file(0, { status: 'a', tries: 1 }), file(0, { status: 'b' }))).toEqual({
    size: 1,
    all: [file(0, { status: 'b', tries: 1 })],
  })
})

test('a new row stays new when columns of it change, and replaces what came before it', () => {
  expect(collected(file(0, { status: 'a', tries: 0 }, 'put'), file(0, { tries: 1 })).all).toEqual([
    file(0, { status: 'a', tries: 1 }, 'put'),
  ])
  expect(collected(file(0, { status: 'a', tries: 1 }), file(0, { status: 'b' }, 'put')).all).toEqual([
    file(0, { status: 'b' }, 'put'),
  ])
})

test('rows are distinguished by their whole key, and by their table', () => {
  const other = { table: 'command_bus_workflow_run', kind: 'patch', row: { run_id: 'r1' } } as const
  const writes = [file(0, {}), file(1, {}), file(11, {}), { ...file(1, {}), row: { run_id: 'r2', idx: 1 } }, other]
  expect(collected(...writes)).toEqual({ size: 5, all: writes })
})
