import fc from 'fast-check'
import { expect, test } from 'vitest'
import { visible } from '../../src/domain/visible-text.ts'

const marks = [
  '\u0000',
  '\u0007',
  '\u001b',
  '\u007f',
  '\u0085',
  '\u009b',
  '\u00ad',
  '\u034f',
  '\u061c',
  '\u115f',
  '\u180e',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u200e',
  '\u200f',
  '\u2028',
  '\u2029',
  '\u202a',
  '\u202b',
  '\u202c',
  '\u202d',
  '\u202e',
  '\u2060',
  '\u2066',
  '\u2067',
  '\u2068',
  '\u2069',
  '\u3164',
  '\ufe0f',
  '\ufeff',
  '\uffa0',
  '\ud800',
  '\u{e0041}',
]

test.each(marks)('%j is written out', mark => {
  const escaped = [...Array(mark.length).keys()]
    .map(i => `\\u${mark.charCodeAt(i).toString(16).toUpperCase().padStart(4, '0')}`)
    .join('')
  expect(visible(`a${mark}b`)).toBe(`a${escaped}b`)
  expect(visible(mark)).toBe(escaped)
})

test('a carriage return that would overwrite its line is written out; ends of lines and tabs stay', () => {
  expect(visible('a\tb\nc\r\nd\re')).toBe('a\tb\nc\r\nd\\u000De')
})

test('what people write stays: letters of every script, accents, emoji', () => {
  for (const text of ['Größe', 'e\u0301', 'שלום', 'مرحبا', 'हिन्दी', '⚠️ ❤️', '👨‍👩‍👧', '👩🏽‍🚀', '🏳️‍🌈', '¥ 5'])
    expect(visible(text)).toBe(text)
})

test('escaping twice hides nothing, and inside JSON the value stays the same', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...marks), fc.string({ unit: 'binary' }))), parts => {
      const text = parts.join('')
      const json = JSON.stringify({ text })
      expect(JSON.parse(visible(json))).toEqual({ text })
      expect(visible(visible(text))).toBe(visible(text))
    }),
  )
})
