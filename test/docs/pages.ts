import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const repository = join(import.meta.dirname, '../..')

export interface Page {
  /** From the root of the repository, as `docs/flow.md`. */
  readonly path: string
  readonly text: string
}

export interface Block {
  /** As `docs/flow.md:8`: where the first line of the code is. */
  readonly at: string
  readonly page: string
  /** What stands behind the fence; empty where nothing does. */
  readonly language: string
  readonly code: string
}

/** Every page that comes with the package, and those of contributors. */
export const readPages = async (): Promise<readonly Page[]> => {
  const below = async (folder: string) =>
    (await readdir(join(repository, folder), { recursive: true }))
      .filter(name => name.endsWith('.md') && !name.includes('node_modules') && !name.startsWith('reference/'))
      .map(name => `${folder}/${name}`)
  const top = (await readdir(repository)).filter(name => name.endsWith('.md'))
  const paths = [...top, ...(await below('docs')), ...(await below('examples'))].sort()
  return Promise.all(paths.map(async path => ({ path, text: await readFile(join(repository, path), 'utf8') })))
}

/** The fenced blocks of a page, also those that stand within a list. */
export const blocksOf = ({ path, text }: Page): readonly Block[] =>
  [...text.matchAll(/^( *)```([\w]*)\n([\s\S]*?)^\1```$/gm)].map(
    ({ 1: indent = '', 2: language = '', 3: code = '', index }) => ({
      at: `${path}:${text.slice(0, index).split('\n').length + 1}`,
      page: path,
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  )
