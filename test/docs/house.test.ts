import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const FILES_IN_A_ROOM = 15
const repository = join(import.meta.dirname, '../..')

it.each(['src', 'test', 'web/src', 'bench'])('no folder of %s has more than fifteen files', async top => {
  const entries = await readdir(join(repository, top), { recursive: true, withFileTypes: true })
  const rooms = new Map<string, number>()
  const ours = entries.filter(entry => entry.isFile() && !entry.parentPath.includes('node_modules'))
  for (const { parentPath } of ours) rooms.set(parentPath, (rooms.get(parentPath) ?? 0) + 1)
  expect(rooms.size).toBeGreaterThan(3)
  expect([...rooms].filter(([, files]) => files > FILES_IN_A_ROOM)).toEqual([])
})
