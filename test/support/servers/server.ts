import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { GenericContainer, Wait } from 'testcontainers'
import { removeEmbedded, startEmbedded } from '../../../src/infrastructure/postgres/embedded/index.ts'
import { dataDirectory } from './data-directory.ts'
import { isAlive } from './service.ts'

/** A PostgreSQL server for a test run. */
export interface TestServer {
  /** Connection string of a role that may create databases. */
  readonly url: string
  /** The kind of server, for the first line of the output. */
  readonly kind: 'TEST_DATABASE_URL' | 'container' | 'embedded'
  stop(): Promise<void>
}

const startContainer = async (): Promise<TestServer> => {
  const container = await new GenericContainer(process.env.TEST_POSTGRES_IMAGE ?? 'ghcr.io/pgmq/pg18-pgmq:v1.11.1')
    .withEnvironment({ POSTGRES_PASSWORD: 'postgres' })
    .withCommand(['postgres', '-c', 'max_connections=200', '-c', 'fsync=off'])
    .withExposedPorts(5432)
    // The image's first start runs a server for its own setup before the real one.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .withStartupTimeout(180_000)
    .start()
  const url = `postgres://postgres:postgres@${container.getHost()}:${container.getMappedPort(5432)}/postgres`
  return { url, kind: 'container', stop: async () => void (await container.stop()) }
}

const HOME = /^commandbus-test-(\d+)-[0-9a-f]+$/

/** Removes data of killed runs, which would stay in memory; leaves that of other users. */
const removeLeftOver = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) {
    const pid = Number(HOME.exec(name)?.[1])
    if (pid > 0 && !isAlive(pid)) await removeEmbedded(join(directory, name)).catch(() => undefined)
  }
}

/** With the server's own number of rounds: the usual 4,096 take a quarter of the time of a connection, and tests open thousands. */
const hashPasswordAgain = async (url: string): Promise<void> => {
  const { username, password } = new URL(url)
  const client = new pg.Client(url)
  await client.connect()
  const role = client.escapeIdentifier(decodeURIComponent(username))
  await client.query(`alter role ${role} password ${client.escapeLiteral(decodeURIComponent(password))}`)
  await client.end()
}

const startOwn = async (): Promise<TestServer> => {
  const directory = dataDirectory()
  await removeLeftOver(directory)
  const home = join(directory, `commandbus-test-${process.pid}-${randomBytes(6).toString('hex')}`)
  // Tests kill processes, not machines: the data survives without the flush to disk. Most databases are gone before a vacuum comes.
  const settings = { fsync: 'off', full_page_writes: 'off', scram_iterations: '1', autovacuum_naptime: '1min' }
  const server = await startEmbedded({ home, settings })
  await hashPasswordAgain(server.url)
  return {
    url: server.url,
    kind: 'embedded',
    stop: async () => {
      await server.release()
      await removeEmbedded(home)
    },
  }
}

/** TEST_DATABASE_URL when set; a container when TEST_DOCKER=1; else an embedded server in a fresh directory. */
export const startTestServer = async (): Promise<TestServer> => {
  const url = process.env.TEST_DATABASE_URL
  if (url !== undefined && url !== '') return { url, kind: 'TEST_DATABASE_URL', stop: async () => undefined }
  return process.env.TEST_DOCKER === '1' ? startContainer() : startOwn()
}
