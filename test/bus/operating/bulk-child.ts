import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'
import { compiledModules } from '../../support/servers/compiled.ts'

const script = fileURLToPath(new URL('./bulk-child.mjs', import.meta.url))

const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A process that carries out actions, until it is killed. */
export const spawnRunner = (databaseUrl: string) => {
  const child = spawn(process.execPath, [script, compiledModules(), databaseUrl], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  return {
    kill: async (): Promise<void> => {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
