import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Mode } from '../mode.ts'

const root = new URL('../../../', import.meta.url)
const pathOf = (file: string): string => fileURLToPath(new URL(file, root))
const results = pathOf('dist-bench/proof.json')

/** The test of tampering with a longer history than it has every day; gives its exit code. */
const runProof = async (commands: number): Promise<number> => {
  const args = ['run', 'test/proof/tampering.test.ts', '-t', 'in a long, random history']
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
  const child = spawn(process.execPath, [pathOf('node_modules/vitest/vitest.mjs'), ...args, ...reporters], {
    cwd: fileURLToPath(root),
    env: { ...process.env, PROOF_COMMANDS: String(commands) },
    stdio: 'inherit',
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) return code ?? 1
  const { numPassedTests } = JSON.parse(await readFile(results, 'utf8'))
  // a filter that fits no test is a success to vitest
  if (numPassedTests === 0) throw new Error('no test was run: its title has changed')
  return 0
}

export const proof: Mode = {
  usage: [
    'proof            instead of the rest: 100,000 commands by chance but legal, verified clean, then tampered with in every way',
    '--commands <n>   of proof: how many, 10,000 or more',
  ],
  run: ({ commands = 100_000 }) => runProof(commands),
}
