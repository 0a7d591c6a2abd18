import { relative } from 'node:path'

/** A longer line is not a frame of ours: it is left as it is. */
const MAX_LINE = 500
const MAX_FRAME = 200
/** Of a folder that is further away, the whole path says more than the way there. */
const FURTHEST = '../../../'

/** `    at async charge (file:///app/src/charge.ts:41:11)`, also without a function's name. */
const FRAME = /^(\s+at (?:async )?)(?:(.*?) \()?(.*?):(\d+):(\d+)(\)?)$/
const WINDOWS_ROOT = /^\/?(?=[A-Za-z]:\/)/

interface Frame {
  readonly before: string
  readonly name: string | undefined
  readonly file: string
  readonly line: string
  readonly column: string
}

const frameOf = (text: string): Frame | null => {
  const [, before = '', name, file = '', line = '', column = ''] =
    (text.length > MAX_LINE ? null : FRAME.exec(text)) ?? []
  return line === '' ? null : { before, name, file: shortPath(file), line, column }
}

/** Relative to the directory of the process; of a package, from `node_modules/` on. */
const shortPath = (file: string): string => {
  const path = pathOf(file)
  const inPackage = path.lastIndexOf('/node_modules/')
  if (inPackage >= 0) return path.slice(inPackage + 1)
  if (!path.startsWith('/') && !/^[A-Za-z]:\//.test(path)) return path
  const from = process.cwd()
  // what has only the root in common is elsewhere, however near the root the process is
  if (rootOf(path) !== rootOf(from)) return path
  const near = relative(from, path).replaceAll('\\', '/')
  return near === '' || near.startsWith(FURTHEST) ? path : near
}

/** The first directory of an absolute path, with its drive. */
const rootOf = (path: string): string => path.replaceAll('\\', '/').split('/', 2).join('/')

const pathOf = (file: string): string => {
  const path = file.startsWith('file://') ? decoded(file.slice('file://'.length)) : file
  return path.replaceAll('\\', '/').replace(WINDOWS_ROOT, '')
}

const decoded = (text: string): string => {
  try {
    return decodeURI(text)
  } catch {
    return text
  }
}

/** One line of a stack, with a short path. */
export const shortFrame = (text: string): string => {
  const frame = frameOf(text)
  if (frame === null) return text
  const { before, name, file, line, column } = frame
  const place = `${file}:${line}:${column}`
  return `${before}${name === undefined ? place : `${name} (${place})`}`
}

const NOT_OURS = /^(?:node:|node_modules\/|internal\/|native\b|wasm:|eval at |<anonymous>|index \d)/

/** `Object.charge [as handle]` is called `charge` where it is written. */
const shortName = (name: string | undefined): string =>
  (name ?? '')
    .replace(/ \[as .*\]$/, '')
    .replace(/^Object\./, '')
    .replace(/^.*<anonymous>$/, '')

/**
 * The first of these lines of a stack that is the user's own code, as in `src/charge.ts:41 in charge`: neither of Node nor of
 * a package. Undefined: none is.
 */
export const topFrameOf = (lines: readonly string[]): string | undefined => {
  for (const text of lines) {
    const frame = frameOf(text)
    if (frame === null || NOT_OURS.test(frame.file)) continue
    const name = shortName(frame.name)
    return `${frame.file}:${frame.line}${name === '' ? '' : ` in ${name}`}`.slice(0, MAX_FRAME).toWellFormed()
  }
  return undefined
}
