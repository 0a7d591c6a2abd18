import type { CreateCommandBus } from '../../../command-bus.ts'

/** What the composition root hands to the command line. */
export interface CliDeps {
  readonly createBus: CreateCommandBus
  readonly version: string
  /** The file to run again for a process of our own. */
  readonly program: string
  /** What is to be done before the process ends because of an error that nobody caught. */
  readonly beforeCrash: (work: (error: unknown) => Promise<unknown>) => void
  readonly env: { readonly [name: string]: string | undefined }
}
