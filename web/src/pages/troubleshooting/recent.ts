import type { ParkedAction } from '../../../../src/domain/command/operator-actions.ts'

/** A bulk action that was started in this browser; its page shows the current state. */
export interface RecentAction {
  readonly id: string
  readonly action: ParkedAction
  readonly count: number
  readonly at: string
}

const KEY = 'commandbus.actions'
const KEPT = 5

export const recentActions = (): readonly RecentAction[] => {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(found) ? found.filter(one => typeof one?.id === 'string') : []
  } catch {
    return []
  }
}

export const rememberAction = (action: RecentAction): void =>
  localStorage.setItem(KEY, JSON.stringify([action, ...recentActions()].slice(0, KEPT)))
