import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../src/domain/json/json.ts'
import { type Change, jsonDiff } from '../../src/domain/json/json-diff.ts'
import { json } from '../support/lives/command-arbitraries.ts'

/** Applies a change as RFC 6902 says; independent of the code that finds changes. */
const applied = (value: Json, { op, path, to }: Change): Json => {
  if (path === '') return to
  const [head = '', ...rest] = path
    .slice(1)
    .split('/')
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const inner = (member: Json): Json =>
    applied(member, { op, path: rest.length === 0 ? '' : `/${rest.map(escaped).join('/')}`, from: null, to })
  if (Array.isArray(value)) {
    const items = [...value] as Json[]
    const i = Number(head)
    if (rest.length > 0) items[i] = inner(items[i] as Json)
    else if (op === 'remove') items.splice(i, 1)
    else if (op === 'add') items.splice(i, 0, to)
    else items[i] = to
    return items
  }
  const members = new Map(Object.entries(value as object))
  if (rest.length > 0) members.set(head, inner(members.get(head)))
  else if (op === 'remove') members.delete(head)
  else members.set(head, to)
  return Object.fromEntries(members)
}
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

test('the changes between two values turn one into the other', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      expect(jsonDiff(before, after).reduce(applied, before)).toEqual(after)
    }),
  )
})

test('a value does not differ from itself, nor from its copy', () => {
  fc.assert(
    fc.property(json, value => {
      expect(jsonDiff(value, value)).toEqual([])
      expect(jsonDiff(value, structuredClone(value))).toEqual([])
    }),
  )
})

test('each change says where, what it was and what it is', () => {
  const before = { amount: 5, card: { number: '1', 'a/b~c': true }, items: [1, 2, 3], gone: null }
  const after = { amount: 6, card: { number: '1', 'a/b~c': false }, items: [1, 9], note: 'new' }
  expect(jsonDiff(before, after, '/data')).toEqual([
    { op: 'replace', path: '/data/amount', from: 5, to: 6 },
    { op: 'replace', path: '/data/card/a~1b~0c', from: true, to: false },
    { op: 'replace', path: '/data/items/1', from: 2, to: 9 },
    { op: 'remove', path: '/data/items/2', from: 3, to: null },
    { op: 'remove', path: '/data/gone', from: null, to: null },
    { op: 'add', path: '/data/note', from: null, to: 'new' },
  ])
})

test('a value of another kind is replaced as a whole', () => {
  expect(jsonDiff({ a: [1] }, { a: { 0: 1 } })).toEqual([{ op: 'replace', path: '/a', from: [1], to: { 0: 1 } }])
  expect(jsonDiff(null, [])).toEqual([{ op: 'replace', path: '', from: null, to: [] }])
})
