import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { silentLog } from '../../src/application/ports/log.ts'
import {
  type CommandBus,
  createCommandBus,
  type Json,
  PermanentCommandError,
  type Role,
  TransientCommandError,
  type Worker,
} from '../../src/index.ts'
import { demoHandlers } from '../../src/infrastructure/demo/index.ts'
import { closeHttp } from '../../src/infrastructure/http/listen.ts'
import { type ConsoleFiles, readConsole } from '../../src/infrastructure/http/pages/console.ts'
import { type BackgroundCheck, createBackgroundCheck } from '../../src/infrastructure/proof/background-check.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type Served, serve } from '../support/http.ts'
import { type OpenBrowser, openBrowser } from './browser.ts'

const repository = join(import.meta.dirname, '../..')

/** The console as `npm start` builds it: built now unless a build newer than its sources exists. */
const builtConsole = async (): Promise<ConsoleFiles> => {
  const { status } = spawnSync(process.execPath, [join(repository, 'scripts', 'build-if-needed.mjs')])
  const files = status === 0 ? await readConsole(join(repository, 'dist', 'web')) : null
  if (files === null) throw new Error('the console could not be built')
  return files
}

export interface Visitor {
  readonly page: Page
  readonly context: BrowserContext
}

export interface VisitOptions extends BrowserContextOptions {
  readonly sub?: string
  readonly tenant?: string
}

/** A service with workers, and a browser; both are shared by all scenarios. */
export class Stage {
  private database!: TestDatabase
  private workers: readonly Worker[] = []
  private runner = new AbortController()
  private running: Promise<unknown> = Promise.resolve()
  private opened!: OpenBrowser
  files!: ConsoleFiles
  private contexts: BrowserContext[] = []
  /** Whether the model that operations ask answers. */
  modelWorks = true
  bus!: CommandBus
  /** Verifies the whole log in one turn, on demand. */
  backgroundCheck!: BackgroundCheck
  served!: Served
  readonly faults: string[] = []

  async open(): Promise<void> {
    const [files, opened, database] = await Promise.all([builtConsole(), openBrowser(), createTestDatabase()])
    this.files = files
    this.opened = opened
    this.database = database
    this.bus = createCommandBus({
      databaseUrl: database.url,
      workflows: { policy: { maxAttempts: 1, backoffSeconds: [0.1], jitter: 0 } },
    })
    const log = silentLog
    this.backgroundCheck = createBackgroundCheck({
      pool: database.pool,
      signer: null,
      log,
      everyMs: 0,
      slice: 1_000_000,
    })
    this.served = await serve(this.bus, this.serving())
    const askModel = () => {
      if (!this.modelWorks) throw new PermanentCommandError('UNAUTHORIZED', 'the model answered 401')
      return { questions: ['What is a lease?'] }
    }
    const summarize = (data: Json) => {
      if (this.modelWorks || JSON.stringify(data).includes('good')) return { words: 100 }
      throw new TransientCommandError('MODEL_BUSY', 'the model takes no files now')
    }
    this.workers = [
      this.bus.worker({ domain: 'demo', handlers: demoHandlers }),
      this.bus.worker({ domain: 'operations', handlers: { '*': askModel } }),
      this.bus.worker({ domain: 'workflow', handlers: { '*': summarize } }),
    ]
    await Promise.all(this.workers.map(worker => worker.start()))
    const { signal } = this.runner
    this.running = Promise.all([
      this.bus.actions.run(signal),
      this.bus.runs.run(signal),
      this.bus.figures.count(signal),
    ])
  }

  private serving() {
    return { console: this.files, proof: () => this.backgroundCheck.stats() }
  }

  /** The server goes away and comes back at the same address. */
  async stopServer(): Promise<() => Promise<void>> {
    const { port } = new URL(this.served.url)
    await closeHttp(this.served.app, 100)
    return async () => {
      this.served = await serve(this.bus, this.serving(), Number(port))
    }
  }

  get pool() {
    return this.database.pool
  }

  get url(): string {
    return this.served.url
  }

  /** A user with a token for these roles, signed in through the link. */
  async visit(roles: readonly Role[], path = '/', options: VisitOptions = {}): Promise<Visitor> {
    const { sub, tenant, ...more } = options
    const token = await this.served.token(roles, {
      ...(sub === undefined ? {} : { sub }),
      ...(tenant === undefined ? {} : { tenant }),
    })
    const visitor = await this.stranger(more)
    await visitor.page.goto(`${this.url}${path}#token=${token}`)
    await visitor.page.locator('h1').first().waitFor()
    return visitor
  }

  async stranger(options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await this.opened.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    this.contexts.push(context)
    context.setDefaultTimeout(60_000)
    const page = await context.newPage()
    page.on('pageerror', error => this.faults.push(error.message))
    page.on('console', message => {
      if (/Content Security Policy/i.test(message.text())) this.faults.push(message.text())
    })
    return { page, context }
  }

  /** Sends commands that fail for good at once, and gives their ids once all of them are parked. */
  async park(count: number, commandType: string, errorCode: string, behavior: object = {}): Promise<readonly string[]> {
    const data = { order: 77, behavior: { permanent: true, errorCode, errorMessage: 'it does not work', ...behavior } }
    const commands = Array.from({ length: count }, () => ({
      commandType,
      data,
      replyTo: 'shop__replies',
      maxAttempts: 1,
    }))
    const sent = await this.bus.sendBatch('demo', commands)
    await expect
      .poll(async () => (await this.bus.troubleshooting.list({ domain: 'demo', errorCode })).total, { timeout: 60_000 })
      .toBe(count)
    return sent.map(({ commandId }) => commandId)
  }

  /** Parked commands of a domain without a worker: retried ones stay pending. */
  async parkUnattended(count: number, errorCode: string): Promise<void> {
    const refuse = () => {
      throw new PermanentCommandError(errorCode, 'it does not work')
    }
    const worker = this.bus.worker({ domain: 'unattended', handlers: { '*': refuse }, pollMs: 50 })
    await worker.start()
    await this.bus.sendBatch(
      'unattended',
      Array.from({ length: count }, () => ({ commandType: 'Wait', data: {} })),
    )
    await expect
      .poll(async () => (await this.bus.troubleshooting.list({ errorCode })).total, { timeout: 20_000 })
      .toBe(count)
    await worker.stop()
  }

  async status(commandId: string, domain = 'demo'): Promise<string | undefined> {
    return (await this.bus.getCommand(domain, commandId))?.status
  }

  async leave(): Promise<void> {
    await Promise.all(this.contexts.splice(0).map(context => context.close()))
    expect(this.faults.splice(0)).toEqual([])
  }

  async close(): Promise<void> {
    await this.opened?.close()
    this.runner.abort()
    await this.running
    await closeHttp(this.served.app, 100)
    await Promise.all(this.workers.map(worker => worker.stop({ deadlineMs: 0 })))
    await this.bus?.close()
    await this.database?.drop()
  }
}

/** The stage of a file: opened once; the windows of a test are closed after it. */
export const useStage = (): Stage => {
  const stage = new Stage()
  beforeAll(() => stage.open())
  afterEach(() => stage.leave())
  afterAll(() => stage.close())
  return stage
}

/** The row of a command in a list. */
export const rowOf = (page: Page, commandId: string) => page.locator('tbody tr', { hasText: commandId })

export const dialogOf = (page: Page) => page.getByRole('dialog')
