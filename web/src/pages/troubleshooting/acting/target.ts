import { type ActionFilter, NO_FRAME } from '../../../../../src/domain/command/parking.ts'
import { dateText } from '../../../components/time/clock.ts'

/** A command on which an action is possible. */
export interface Named {
  readonly domain: string
  readonly commandId: string
  readonly commandType: string
  readonly assignee?: string | null | undefined
  readonly tags?: readonly string[] | undefined
}

/** A payload as lists contain it: null with its size where it is too large for a list. */
export interface Payload {
  readonly payload: unknown
  readonly payloadBytes?: number | undefined
  readonly payloadPreview?: string | undefined
}

/** What an action is about: one command, selected commands, or all that a filter matches when the action starts. */
export type Target =
  | { readonly kind: 'one'; readonly command: Named & Payload }
  | { readonly kind: 'many'; readonly commands: readonly Named[] }
  | { readonly kind: 'matching'; readonly filter: ActionFilter; readonly total: number }

const number = new Intl.NumberFormat()

export const howMany = (target: Target): number => {
  switch (target.kind) {
    case 'one':
      return 1
    case 'many':
      return target.commands.length
    case 'matching':
      return target.total
  }
}

/** The domains that an action would reach; null: all of them. */
export const domainsOf = (target: Target): readonly (string | null)[] => {
  switch (target.kind) {
    case 'one':
      return [target.command.domain]
    case 'many':
      return [...new Set(target.commands.map(({ domain }) => domain))]
    case 'matching':
      return [target.filter.domain ?? null]
  }
}

export const counted = (count: number): string => (count === 1 ? '1 command' : `${number.format(count)} commands`)

/** The conditions of a filter, in words. */
export const filterWords = ({ domain, commandType, errorCode, frame, from, to }: ActionFilter): string => {
  const words = [
    errorCode && `with error ${errorCode}`,
    frame && (frame === NO_FRAME ? 'thrown at a place that is not known' : `thrown at ${frame}`),
    commandType && `of type ${commandType}`,
    domain && `in domain ${domain}`,
    from && `moved there since ${dateText(from)}`,
    to && `moved there before ${dateText(to)}`,
  ].filter(Boolean)
  return words.length === 0 ? 'all that is in troubleshooting' : `all in troubleshooting ${words.join(', ')}`
}
