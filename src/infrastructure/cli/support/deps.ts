import type { CreateCommandBus } from '../../../command-bus.ts'

/** What the composition root hands to the command line. */
export interface CliDeps {
  readonly createBus: CreateCommandBus
  readonly version: string
  /** The file to run in a child process. */
  readonly program: string
  /** Registers work to do before an uncaught error ends the process. */
  readonly beforeCrash: (work: (error: unknown) => Promise<unknown>) => void
  /** Whether members that were declared sensitive are shown; missing: they are not. */
  readonly reveal?: () => boolean
  readonly env: { readonly [name: string]: string | undefined }
}
