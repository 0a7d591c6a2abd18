import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { readPages, repository } from './pages.ts'

const pages = await readPages()

/** The anchors of a page, as GitHub makes them of its headings. */
const anchorsOf = (text: string): readonly string[] =>
  [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

test('K8: each link of a page leads to a file of the repository, and to a heading where it names one', () => {
  const dead = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([link, to = '', anchor]) => {
      const target = to === '' ? path : normalize(join(dirname(path), to))
      if (!existsSync(join(repository, target))) return [`${path}: ${link}`]
      const page = pages.find(one => one.path === target)
      return anchor === undefined || page === undefined || anchorsOf(page.text).includes(anchor)
        ? []
        : [`${path}: ${link}`]
    }),
  )
  expect(dead).toEqual([])
})

test('K8: each page of docs is named in its table of contents', () => {
  const contents = pages.find(({ path }) => path === 'docs/README.md')?.text ?? ''
  const names = pages
    .flatMap(({ path }) => /^docs\/(\w[\w-]*\.md)$/.exec(path)?.[1] ?? [])
    .filter(name => name !== 'README.md')
  expect(names.length).toBeGreaterThan(15)
  expect(names.filter(name => !contents.includes(`](${name}`))).toEqual([])
})

test('K8: the figures of the README are those of docs/performance.md', () => {
  const textOf = (wanted: string) => pages.find(({ path }) => path === wanted)?.text ?? ''
  const [, figures = ''] = /\*\*Speed\*\*([\s\S]*?)\*\*Storage\*\*/.exec(textOf('README.md')) ?? []
  const rows = [...figures.matchAll(/^\| (?!\|)(.*) \|$/gm)].map(([, row = '']) => row)
  expect(rows.length).toBeGreaterThan(3)
  const performance = textOf('docs/performance.md')
  for (const row of rows) expect(performance).toContain(`| ${row} |`)
  for (const [figure] of figures.matchAll(/\d+(,\d{3})+|PostgreSQL [\d.]+|Node [\d.]*\d/g))
    expect(performance).toContain(figure)
})
