import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

export interface OpenBrowser {
  readonly browser: Browser
  readonly close: () => Promise<void>
}

const ARGS = ['--no-sandbox', '--no-zygote', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars']

/** Where the package from npm unpacks its browser to: the temporary directory, which it asks for when it is loaded. */
const unpackTo = async (directory: string): Promise<string> => {
  const before = process.env.TMPDIR
  process.env.TMPDIR = directory
  try {
    const { default: packaged } = await import('@sparticuz/chromium')
    return await packaged.executablePath()
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
}

/** A real Chromium: that of `CHROMIUM_PATH`, or the one that npm brought, in a directory that goes when it is closed. */
export const openBrowser = async (): Promise<OpenBrowser> => {
  const given = process.env.CHROMIUM_PATH
  const directory = await mkdtemp(join(tmpdir(), 'commandbus-chromium-'))
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 5 })
  try {
    const executablePath = given || (await unpackTo(directory))
    const browser = await chromium.launch({
      executablePath,
      args: ARGS,
      headless: true,
      env: { ...process.env } as never,
    })
    return {
      browser,
      close: async () => {
        await browser.close()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}
