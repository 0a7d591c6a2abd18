import { AlertCircle, RefreshCw } from 'lucide-react'
import { useState } from 'react'

export interface ErrorDisplayProps {
  /** What happened, and after `What to do:` the next step. */
  readonly message: string
  readonly operationId?: string
  /** Offers `Retry`, together with `operationId`; may return a promise, which keeps the button busy. */
  readonly onRetry?: (operationId: string) => unknown
  readonly severity?: 'error' | 'warning' | 'info'
}

const boxes = {
  error: 'border-red-200 bg-red-50 text-red-800 dark:border-red-900 dark:bg-red-950 dark:text-red-200',
  warning:
    'border-orange-200 bg-orange-50 text-orange-800 dark:border-orange-900 dark:bg-orange-950 dark:text-orange-200',
  info: 'border-blue-200 bg-blue-50 text-blue-800 dark:border-blue-900 dark:bg-blue-950 dark:text-blue-200',
} as const

const icons = {
  error: 'text-red-600 dark:text-red-400',
  warning: 'text-orange-600 dark:text-orange-400',
  info: 'text-blue-600 dark:text-blue-400',
} as const

const TO_DO = 'What to do:'

/** What went wrong and what to do about it, with a button to try again where that is possible. */
export const ErrorDisplay = ({ message, operationId, onRetry, severity = 'error' }: ErrorDisplayProps) => {
  const [retrying, setRetrying] = useState(false)
  const cut = message.indexOf(TO_DO)
  const happened = (cut < 0 ? message : message.slice(0, cut)).trim()
  const todo = cut < 0 ? '' : message.slice(cut + TO_DO.length).trim()

  const retry = async (): Promise<void> => {
    if (onRetry === undefined || operationId === undefined) return
    setRetrying(true)
    try {
      await onRetry(operationId)
    } catch {
      // the caller reports the failure of its retry
    } finally {
      setRetrying(false)
    }
  }

  return (
    <div role="alert" className={`rounded-lg border p-4 ${boxes[severity]}`}>
      <div className="flex items-start gap-3">
        <AlertCircle aria-hidden className={`mt-0.5 size-5 shrink-0 ${icons[severity]}`} />
        <div className="min-w-0 flex-1 wrap-anywhere">
          <p className="font-medium">{happened}</p>
          {todo !== '' && (
            <p className="mt-2 text-sm">
              <strong>{TO_DO}</strong> {todo}
            </p>
          )}
          {onRetry !== undefined && operationId !== undefined && (
            <button
              type="button"
              onClick={retry}
              disabled={retrying}
              className="mt-3 inline-flex items-center gap-2 rounded-md border border-gray-300 bg-white px-4 py-2 text-sm font-medium text-gray-900 transition-colors hover:bg-gray-50 disabled:cursor-not-allowed disabled:opacity-60"
            >
              <RefreshCw aria-hidden className={`size-4 ${retrying ? 'animate-spin' : ''}`} />
              {retrying ? 'Retrying...' : 'Retry'}
            </button>
          )}
        </div>
      </div>
    </div>
  )
}
