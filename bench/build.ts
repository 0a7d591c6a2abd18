import type * as History from '../src/domain/command/history.ts'
import type * as Command from '../src/domain/command/index.ts'
import type * as Decider from '../src/domain/decider.ts'
import type * as Library from '../src/index.ts'
import type * as Token from '../src/infrastructure/http/identity/token.ts'
import type * as Embedded from '../src/infrastructure/postgres/embedded/index.ts'
import type * as Migrations from '../src/infrastructure/postgres/schema/migrate.ts'
import type * as Pgmq from '../src/infrastructure/postgres/schema/pgmq-install.ts'

/** What the benchmark itself needs, one file for each module of the sources. */
const load = (module: string) => import(new URL(`../../modules/${module}`, import.meta.url).href)

/** What ships is what is measured: the package's own files, only their types come from the sources. */
export const loadLibrary = (): Promise<typeof Library> => import(new URL('../../dist/index.js', import.meta.url).href)
export const loadEmbedded = (): Promise<typeof Embedded> => load('infrastructure/postgres/embedded/index.js')
export const loadMigrations = (): Promise<typeof Migrations> => load('infrastructure/postgres/schema/migrate.js')
export const loadPgmq = (): Promise<typeof Pgmq> => load('infrastructure/postgres/schema/pgmq-install.js')
export const loadToken = (): Promise<typeof Token> => load('infrastructure/http/identity/token.js')
export const loadDecider = (): Promise<typeof Decider> => load('domain/decider.js')
export const loadCommand = (): Promise<typeof Command> => load('domain/command/index.js')
export const loadHistory = (): Promise<typeof History> => load('domain/command/history.js')
