import type { Json } from '../json/json.ts'
import { visible } from '../visible-text.ts'
import type { Finding } from './finding.ts'

const LONGEST = 120

const textOf = (value: Json): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const shown = visible(text.replace(/\s+/g, ' '))
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST)}…` : shown
}

const quoted = (value: Json): string => (typeof value === 'string' ? `"${textOf(value)}"` : textOf(value))

const percent = (share: number): string => {
  if (share === 0) return 'none'
  if (share === 1) return 'all'
  if (share < 0.01) return 'less than 1 %'
  return share > 0.99 ? 'more than 99 %' : `${Math.round(share * 100)} %`
}

const bounds = (value: Json, words: { readonly both: string; readonly from: string; readonly to: string }): string => {
  const { from, to } = value as { readonly from?: Json; readonly to?: Json }
  if (from === undefined) return `${words.to} ${textOf(to ?? '')}`
  if (to === undefined) return `${words.from} ${textOf(from)}`
  if (from === to) return textOf(from)
  return `${words.both} ${textOf(from)} and ${textOf(to)}`
}

const RANGE = { both: 'between', from: 'at least', to: 'at most' }
const TIME = { both: 'between', from: 'since', to: 'until' }

/** What is true of these commands. */
const predicateOf = ({ kind, path = '', value }: Omit<Finding, 'sentence'>): string => {
  const member = path === '' ? 'the payload' : textOf(path)
  switch (kind) {
    case 'value':
      return `${member} is ${quoted(value)}`
    case 'member':
      return value === 'missing' ? `${member} is missing` : `${member} is there`
    case 'type':
      return value === 'null' ? `${member} is null` : `${member} is ${value === 'object' ? 'an' : 'a'} ${textOf(value)}`
    case 'range':
      return `${member} is ${bounds(value, RANGE)}`
    case 'tenant':
      return value === null ? 'the command has no tenant' : `the tenant is ${textOf(value)}`
    case 'worker':
      return `the worker was ${textOf(value)}`
    case 'build':
      return `the build of the worker was ${textOf(value)}`
    case 'time':
      return `the command was sent ${bounds(value, TIME)}`
  }
}

/** One plain sentence: `country is "XX" in 98 % of the failed, and in 2 % of the succeeded.` */
export const sentenceOf = (finding: Omit<Finding, 'sentence'>): string =>
  `${predicateOf(finding)} in ${percent(finding.failedShare)} of the failed commands, and in ${percent(finding.succeededShare)} of the succeeded ones.`
