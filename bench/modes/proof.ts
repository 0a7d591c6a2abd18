import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Mode } from '../mode.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The test of tampering with a longer history than it has every day; gives its exit code. */
const runProof = async (commands: number): Promise<number> => {
  const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url))
  const args = [vitest, 'run', 'test/proof/tampering.test.ts', '-t', 'in a long history']
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, PROOF_COMMANDS: String(commands) },
    stdio: 'inherit',
  })
  const [code] = await once(child, 'exit')
  return code ?? 1
}

export const proof: Mode = {
  usage: [
    'proof            instead of the rest: 100,000 commands by chance but legal, verified clean, then tampered with in every way',
  ],
  run: () => runProof(100_000),
}
