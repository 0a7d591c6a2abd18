/** What the suites use of Vitest's functions, which the caller passes in. */
export interface Vitest {
  /** `describe` of the test runner. */
  readonly describe: (name: string, declare: () => void) => void
  /** `test` of the test runner. */
  readonly test: (name: string, run: (context: { readonly skip: (note?: string) => unknown }) => unknown) => void
  readonly expect: Expect
  /** `beforeAll` of the test runner. */
  readonly beforeAll: (run: () => Promise<void>) => void
  /** `afterAll` of the test runner. */
  readonly afterAll: (run: () => Promise<void>) => void
}

interface Expect {
  (value: unknown, message?: string): Matchers & { readonly not: Matchers; readonly rejects: Rejects }
  readonly poll: (
    look: () => unknown,
    options: { readonly timeout: number; readonly interval: number },
  ) => { readonly toBe: (expected: unknown) => Promise<unknown> }
  readonly arrayContaining: (some: unknown[]) => unknown
}

interface Matchers {
  readonly toBe: (expected: unknown) => void
  readonly toBeNull: () => void
  readonly toEqual: (expected: unknown) => void
  readonly toHaveLength: (length: number) => void
  readonly toBeGreaterThan: (than: number) => void
  readonly toBeLessThanOrEqual: (than: number) => void
}

interface Rejects {
  readonly toThrow: (message: string | RegExp) => Promise<unknown>
}
