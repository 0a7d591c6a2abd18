import { expect, test } from 'vitest'
import { csvOf } from '../../src/domain/json/csv.ts'

test.each([
  ['a text', 'plain', 'plain'],
  ['a comma', 'a,b', '"a,b"'],
  ['quotes', 'say "no"', '"say ""no"""'],
  ['a line break', 'a\nb', '"a\nb"'],
  ['spaces around', ' x ', '" x "'],
  ['nothing', null, ''],
  ['a number', -5.5, '-5.5'],
  ['an object', { a: [1, '='] }, '"{""a"":[1,""=""]}"'],
  ['a formula', '=1+1', "'=1+1"],
  ['a plus', '+1', "'+1"],
  ['a minus', '-1', "'-1"],
  ['an at sign', '@SUM(A1)', "'@SUM(A1)"],
  ['a tab before a formula', '\t=1', "'\t=1"],
  ['a line break before a formula', '\n=1', '"\'\n=1"'],
  ['white space before a formula', '  =1', "'  =1"],
  ['a formula in wide characters', '\uff1d1+1', "'\uff1d1+1"],
  ['a NUL before a formula', '\0=1', "'\0=1"],
  ['other characters', 'å😀', 'å😀'],
])('O7: %s in CSV', (_, value, cell) => {
  expect(csvOf([{ x: value, y: 1 }])).toBe(`x,y\r\n${cell},1\r\n`)
})

test('O7: CSV has a line of names, also without rows, and every name that a row has', () => {
  expect(csvOf([], ['a', 'b'])).toBe('a,b\r\n')
  expect(csvOf([{ a: 1 }, { b: 2 }])).toBe('a,b\r\n1,\r\n,2\r\n')
  expect(csvOf(['x', '=y'])).toBe("value\r\nx\r\n'=y\r\n")
})
