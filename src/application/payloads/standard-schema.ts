/**
 * A schema as zod, valibot, arktype and others offer it: the part of Standard Schema, version 1 (https://standardschema.dev),
 * that is used here. `Input` is what a sender gives, `Output` what a handler receives.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    /** The library that made it. */
    readonly vendor: string
    /** Checks a value, and may change it. A promise is awaited. */
    readonly validate: (value: unknown) => StandardAnswer<Output> | Promise<StandardAnswer<Output>>
    /** Only for the compiler; when the program runs, the member is missing. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** Issues for a value that does not fit, else the value as the schema has changed it. */
export type StandardAnswer<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/** What a Standard Schema has against a value. */
export interface StandardIssue {
  readonly message: string
  /** The way to the member: names and indexes, or objects that have them as `key`. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Also for schemas that are functions, as those of arktype are. */
export const isStandardSchema = (value: unknown): value is StandardSchema =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  (value as Partial<StandardSchema>)['~standard'] !== undefined
