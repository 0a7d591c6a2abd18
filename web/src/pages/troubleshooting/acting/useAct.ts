import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'react-hot-toast/headless'
import { type ParkedAction, parkedActions } from '../../../../../src/domain/command/operator-actions.ts'
import { api } from '../../../api/client.ts'
import { navigate } from '../../../app/router.tsx'
import { rememberAction } from '../recent.ts'
import { howMany, type Target } from './target.ts'

/** An action and its options, as in a request. */
export interface Choice {
  readonly action: ParkedAction
  readonly [option: string]: unknown
}

const actOnOne = async (
  { domain, commandId }: { domain: string; commandId: string },
  { action, ...options }: Choice,
): Promise<void> => {
  const act = api[parkedActions[action].route] as (request: ActionRequest) => Promise<unknown>
  await act({ params: { domain, commandId }, body: options })
}

interface ActionRequest {
  readonly params: { readonly domain: string; readonly commandId: string }
  readonly body: { readonly [option: string]: unknown }
}

/** The request for a bulk action. */
export const actionBody = (target: Target, { data: _, ...choice }: Choice) => {
  const ids = (commands: readonly { domain: string; commandId: string }[]) =>
    commands.map(({ domain, commandId }) => ({ domain, commandId }))
  const which =
    target.kind === 'matching'
      ? { filter: target.filter }
      : { ids: ids(target.kind === 'one' ? [target.command] : target.commands) }
  return { ...choice, ...which }
}

/** Acts on one command at once, and on many with a bulk action, whose page shows its progress. */
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
      if (actionId === null) toast.success(parkedActions[action].toast)
      else {
        rememberAction({ id: actionId, action, count: howMany(target), at: new Date().toISOString() })
        navigate(`/troubleshooting/actions/${actionId}`)
      }
    },
    onSettled: () => queries.invalidateQueries(),
  })
}
