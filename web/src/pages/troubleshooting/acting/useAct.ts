import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'react-hot-toast/headless'
import { api } from '../../../api/client.ts'
import { navigate } from '../../../app/router.tsx'
import { rememberAction } from '../recent.ts'
import { type ActionKind, howMany, type Target } from './target.ts'

export interface Choice {
  readonly action: ActionKind
  readonly reason?: string
  readonly resultData?: unknown
  readonly canary?: number
  readonly resetAttempts?: boolean
  /** An edited payload; only for one command. */
  readonly data?: unknown
}

const done: Readonly<Record<ActionKind, string>> = {
  retry: 'Sent again: it is pending now',
  cancel: 'Canceled; the sender is told the reason',
  complete: 'Completed; the sender gets the result',
}

const actOnOne = async (
  { domain, commandId }: { domain: string; commandId: string },
  choice: Choice,
): Promise<void> => {
  const params = { domain, commandId }
  switch (choice.action) {
    case 'retry': {
      const { data, resetAttempts } = choice
      await api.retryCommand({
        params,
        body: { ...(data === undefined ? {} : { data }), ...(resetAttempts === undefined ? {} : { resetAttempts }) },
      })
      return
    }
    case 'cancel':
      await api.operatorCancel({ params, body: { reason: choice.reason ?? '' } })
      return
    case 'complete':
      await api.operatorComplete({
        params,
        body: choice.resultData === undefined ? {} : { resultData: choice.resultData },
      })
  }
}

/** The request for an action in the background. */
export const actionBody = (target: Target, { data: _, ...choice }: Choice) => {
  const ids = (commands: readonly { domain: string; commandId: string }[]) =>
    commands.map(({ domain, commandId }) => ({ domain, commandId }))
  const which =
    target.kind === 'matching'
      ? { filter: target.filter }
      : { ids: ids(target.kind === 'one' ? [target.command] : target.commands) }
  return { ...choice, ...which }
}

/** Does it: one command at once, many as an action in the background, whose page shows how far it is. */
export const useAct = (target: Target, onDone: () => void) => {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async (choice: Choice): Promise<string | null> => {
      if (target.kind !== 'one') return (await api.startAction({ body: actionBody(target, choice) })).actionId
      await actOnOne(target.command, choice)
      return null
    },
    onSuccess: (actionId, { action }) => {
      onDone()
      if (actionId === null) toast.success(done[action])
      else {
        rememberAction({ id: actionId, action, count: howMany(target), at: new Date().toISOString() })
        navigate(`/troubleshooting/actions/${actionId}`)
      }
    },
    onSettled: () => queries.invalidateQueries(),
  })
}
