import type { CommandFilter } from '../../../application/ports/reading/command-queries.ts'
import { hide, isSensitive } from '../../../application/sensitive/hide.ts'
import { ForbiddenError } from '../../../application/shared/errors.ts'
import type { CommandBus } from '../../../command-bus.ts'
import { ANY_PATH } from '../../../domain/json/payload-path.ts'

/** They answer with ids, or are not answers: what they give out is the caller's own. */
const whole = new Set([
  'send',
  'sendBatch',
  'request',
  'cancel',
  'worker',
  'replies',
  'ready',
  'close',
  'sensitive',
  'as',
])

/** The bus with the members hidden that were declared sensitive, in the answers of all its other calls. */
export const hiding = (bus: CommandBus): CommandBus => {
  const answerOf = async (answer: Promise<unknown>): Promise<unknown> => {
    const shown = await answer
    if (typeof shown !== 'object' || shown === null) return shown
    return hide(shown, { paths: await bus.sensitive.list(), reveals: () => false })
  }
  const wrapped = <Calls extends object>(calls: Calls, kept: ReadonlySet<string>): Calls =>
    Object.fromEntries(
      Object.entries(calls).map(([name, member]: [string, unknown]) => {
        if (kept.has(name)) return [name, member]
        if (typeof member === 'object' && member !== null) return [name, wrapped(member, new Set())]
        if (typeof member !== 'function') return [name, member]
        return [
          name,
          (...args: readonly unknown[]) => {
            const answer: unknown = member(...args)
            return answer instanceof Promise ? answerOf(answer) : answer
          },
        ]
      }),
    ) as Calls
  /** Whether there is such a value would tell it. */
  const refuseSearch = async ({ payload }: CommandFilter): Promise<void> => {
    const sensitive = payload === undefined ? [] : await bus.sensitive.list()
    const searched = sensitive.length === 0 ? [] : await bus.search.declared()
    const found = searched.find(
      one => [one.path, ANY_PATH].includes(payload?.path ?? '') && isSensitive(sensitive, one),
    )
    if (found !== undefined)
      throw new ForbiddenError(`${found.path} of ${found.commandType} is sensitive: give --reveal`)
  }
  const shown = wrapped(bus, whole)
  return {
    ...shown,
    queryCommands: async (filter = {}) => {
      await refuseSearch(filter)
      return shown.queryCommands(filter)
    },
  }
}
