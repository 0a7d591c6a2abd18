import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { loadToken } from './build.ts'

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const TOKEN_SECONDS = 86_400

export interface Service {
  readonly url: string
  /** For the API. */
  readonly token: string
  readonly stop: () => Promise<void>
}

type Identity = Parameters<Awaited<ReturnType<typeof loadToken>>['signToken']>[1]

/** The service as it ships, in a process of its own, and a token for this identity. */
export const startService = async (databaseUrl: string, identity: Identity): Promise<Service> => {
  const { signToken } = await loadToken()
  const secret = randomBytes(32).toString('base64url')
  const env = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    COMMANDBUS_JWT_SECRET: secret,
    COMMANDBUS_WRITES_PER_MINUTE: '0',
    LOG_LEVEL: 'warn',
  }
  const service = spawn(process.execPath, [program, 'start', '--host', '127.0.0.1', '--port', '0', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await readyUrl(service)
  return { url, token: await signToken({ secret }, identity, TOKEN_SECONDS), stop: () => stop(service) }
}

const readyUrl = (service: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = ''
    service.stdout?.on('data', data => {
      said += data
      const url = /"url":\s*"([^"]+)"/.exec(said)?.[1]
      if (url !== undefined) resolve(url)
    })
    service.once('error', reject)
    service.once('exit', code => reject(new Error(`the service ended with ${code} before it was ready`)))
  })

const stop = async (service: ChildProcess): Promise<void> => {
  if (service.exitCode !== null || service.signalCode !== null) return
  const ended = once(service, 'exit')
  service.kill('SIGTERM')
  await ended
}
