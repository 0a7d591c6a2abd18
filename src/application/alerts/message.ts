import type { Fact } from '../ports/alerting/alert-work.ts'

export interface MessageOptions {
  readonly id: string
  readonly alert: string
  readonly at: string
  /** Where the console is; without it there are no links. */
  readonly publicUrl: string | undefined
}

/** How many are named; the others are counted. */
const MOST_NAMED = 50

/** The body of a webhook: JSON with a `text` that receivers of chats show. Messages of errors are not part of it. */
export const messageOf = ({ id, alert, at, publicUrl }: MessageOptions, facts: readonly Fact[]): string => {
  const named = facts.slice(0, MOST_NAMED)
  const more = facts.length - named.length
  const lines = named.map(fact => lineOf(fact, linkOf(publicUrl, fact)))
  return JSON.stringify({
    id,
    alert,
    at,
    text: [`*commandbus: ${escaped(alert)}*`, ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'),
    causes: named.map(fact => {
      const link = linkOf(publicUrl, fact)
      return { ...fact, ...(link === null ? {} : { link }) }
    }),
    total: facts.length,
    ...(publicUrl === undefined ? {} : { link: addressOf(publicUrl, '/troubleshooting') }),
  })
}

/** What a test sends. */
export const testMessage = ({ id, alert, at, publicUrl }: MessageOptions): string =>
  JSON.stringify({
    id,
    alert,
    at,
    test: true,
    text: `*commandbus: ${escaped(alert)}*\nThis is a test: alerts arrive here.`,
    causes: [],
    total: 0,
    ...(publicUrl === undefined ? {} : { link: addressOf(publicUrl, '/alerts') }),
  })

const lineOf = (fact: Fact, link: string | null): string => {
  const { kind, domain, commandType, errorCode, count, first } = fact
  const since = `since ${first.slice(0, 16).replace('T', ' ')} UTC`
  const what =
    kind === 'lateReplies'
      ? `${count === 1 ? '1 reply is' : `${count} replies are`} late, ${since}`
      : kind === 'parked'
        ? `${commands(count)} in troubleshooting in ${escaped(domain ?? '')}, ${since}`
        : `${commands(count)} of ${escaped(domain ?? '')} ${escaped(commandType ?? '')} with ${escaped(errorCode ?? '')}, ${since}`
  return link === null ? what : `${what} <${link}>`
}

const commands = (count: number): string => (count === 1 ? '1 command' : `${count} commands`)

/** These have a meaning in the texts of chats. */
const escaped = (text: string): string =>
  text.slice(0, 200).toWellFormed().replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const linkOf = (publicUrl: string | undefined, { kind, domain, commandType, errorCode }: Fact): string | null => {
  if (publicUrl === undefined || kind === 'lateReplies') return null
  const filter = Object.entries({ view: 'list', domain, commandType, errorCode }).flatMap(([name, value]) =>
    value === null ? [] : [`${name}=${encodeURIComponent(value.toWellFormed())}`],
  )
  return addressOf(publicUrl, `/troubleshooting?${filter.join('&')}`)
}

const addressOf = (publicUrl: string, path: string): string => publicUrl.replace(/\/+$/, '') + path
