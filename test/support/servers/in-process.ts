import { createCommandBus } from '../../../src/index.ts'
import { runCli } from '../../../src/infrastructure/cli/program.ts'

export interface Output {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Place {
  readonly env: { readonly [name: string]: string }
  readonly cwd: string
  /** The compiled program, for a command that starts a process. */
  readonly main: string
}

/** Puts what is written to a stream aside; the returned function ends that and gives it back. */
const keep = (stream: NodeJS.WriteStream): (() => string) => {
  const write = stream.write
  let kept = ''
  stream.write = ((chunk: string | Uint8Array, ...more: readonly unknown[]): boolean => {
    kept += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const done = more.at(-1)
    if (typeof done === 'function') done()
    return true
  }) as typeof write
  return () => {
    stream.write = write
    return kept
  }
}

/** Runs one command line in this process as src/main.ts does in its own; one at a time. */
export const runInProcess = async (args: readonly string[], { env, cwd, main }: Place): Promise<Output> => {
  const before = process.cwd()
  const kept = [keep(process.stdout), keep(process.stderr)] as const
  const end = () => {
    process.chdir(before)
    return { stdout: kept[0](), stderr: kept[1]() }
  }
  try {
    process.chdir(cwd)
    const code = await runCli(
      { createBus: createCommandBus, version: '0.0.0', program: main, beforeCrash: () => {}, env },
      args,
    )
    return { code, ...end() }
  } catch (error) {
    end()
    throw error
  }
}
