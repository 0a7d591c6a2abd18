import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'

const repository = fileURLToPath(new URL('../../', import.meta.url))

export const pathOf = (name: string): string => `${repository}${name}`
export const textOf = (name: string): Promise<string> => readFile(pathOf(name), 'utf8')

/** Any document of YAML; tests say what they expect of it. */
// biome-ignore lint/suspicious/noExplicitAny: each file has a shape of its own
export type Document = any

/** The documents of a file; an error of its syntax is thrown. */
export const documentsOf = async (name: string): Promise<readonly Document[]> =>
  parseAllDocuments(await textOf(name)).map(document => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    return document.toJS()
  })

export const documentOf = async (name: string): Promise<Document> => (await documentsOf(name))[0]

/** Runs a program that may not be on the machine. @throws what it printed, when it fails */
export const runTool = async (command: string, args: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await promisify(execFile)(command, [...args]).catch(error => {
    throw new Error(`${error.stdout}${error.stderr}`)
  })
  return stdout + stderr
}

/** The first folder of PATH that has the program; undefined: none. */
export const tool = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(':')
    .map(folder => `${folder}/${name}`)
    .find(existsSync)
