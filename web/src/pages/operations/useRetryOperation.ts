import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'react-hot-toast/headless'
import { ApiProblem, api, type Operation } from '../../api/client.ts'

const FAILED = 'Failed to retry operation'

/** Retries a failed operation: a new one with the same parameters. `onRetried` gets that one. */
export const useRetryOperation = (onRetried: (operation: Operation) => void = () => undefined) => {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (operationId: string): Promise<Operation> => api.retryOperation({ params: { id: operationId } }),
    onSuccess: operation => {
      toast.success('Retrying operation...')
      queries.invalidateQueries({ queryKey: ['operation', operation.id] })
      if (operation.session_id !== null) queries.invalidateQueries({ queryKey: ['session', operation.session_id] })
      queries.invalidateQueries({ queryKey: ['operations'] })
      onRetried(operation)
    },
    onError: error => {
      toast.error(error instanceof ApiProblem && error.detail !== '' ? error.detail : FAILED)
    },
  })
}
