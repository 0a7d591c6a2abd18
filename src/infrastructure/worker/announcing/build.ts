import { readFileSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import { textOf } from '../../../application/shared/input.ts'

const MOST_CHARACTERS = 100

/**
 * The build that stands in the events of a worker's attempts: the one given, else COMMANDBUS_BUILD, else the version of the
 * package that has the file. @param file default: the program's main file @throws InvalidInputError
 */
export const buildOf = (given: unknown, file?: string): string | undefined => {
  if (given !== undefined) return checked(given, 'build')
  const { COMMANDBUS_BUILD: named } = process.env
  if (named) return checked(named, 'COMMANDBUS_BUILD')
  return file === undefined ? programVersion() : versionOf(resolve(file))
}

const checked = (given: unknown, field: string): string => {
  const build = textOf(given, field, MOST_CHARACTERS)
  // it is shown in lists and at the command line
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(build))
    throw new InvalidInputError(field, 'must be one line without control characters')
  return build
}

let version: { readonly is: string | undefined } | undefined

/** Read once: the program's file does not change. */
const programVersion = (): string | undefined => {
  version ??= { is: versionOf(process.argv[1]) }
  return version.is
}

/**
 * The version in the package.json next above a file. A file in node_modules is a tool that runs the program, such as this
 * package's own command line: its version is not that of the handlers.
 */
export const versionOf = (file: string | undefined): string | undefined => {
  if (file === undefined || file.split(sep).includes('node_modules')) return undefined
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const found = packageOf(folder)
    if (found !== undefined) return found.name === 'commandbus' ? undefined : found.version
    if (folder === dirname(folder)) return undefined
  }
}

const packageOf = (folder: string): { readonly name?: unknown; readonly version: string | undefined } | undefined => {
  try {
    const { name, version: given } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const fits = typeof given === 'string' && /^[\w.+-]{1,100}$/.test(given)
    return { name, version: fits ? given : undefined }
  } catch {
    return undefined
  }
}
