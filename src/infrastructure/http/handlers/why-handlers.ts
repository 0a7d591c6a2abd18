import type { Attempt } from '../../../application/investigation/attempts.ts'
import { cutMember } from '../../../application/shared/cut-json.ts'
import type { attemptRoutes } from '../../../contract/why/attempts.ts'
import type { explainRoutes } from '../../../contract/why/explain.ts'
import type { Handlers } from '../requests/mount.ts'

export const whyHandlers: Pick<Handlers, keyof typeof attemptRoutes | keyof typeof explainRoutes> = {
  getAttempts: async ({ params }, caller) => ({
    ...params,
    commandId: params.commandId.toLowerCase(),
    items: (await caller.attempts(params.domain, params.commandId)).map(attempt => ({
      ...attempt,
      error: attempt.error === null ? null : errorAnswer(attempt.error),
    })),
  }),
  explainCause: async ({ query }, caller) => {
    const { findings, ...compared } = await caller.troubleshooting.explain(query)
    return { ...compared, findings: [...findings] }
  },
}

const errorAnswer = ({ details, ...error }: NonNullable<Attempt['error']>) => ({
  ...error,
  ...(details === undefined ? {} : cutMember('details', details)),
})
