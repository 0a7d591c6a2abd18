/** One line of a JSON value as it is printed with two spaces. */
export interface Line {
  /** Without its indentation. */
  readonly text: string
  readonly depth: number
  /** Of the value that begins here: `items[3].sku`; '' is the whole. */
  readonly path: string
  /** The line that closes the list or object that begins here, and how many members it has. */
  readonly closedBy?: number
  readonly members?: number
}

const NAME = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u

const below = (path: string, name: string): string => {
  if (!NAME.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}

/** The lines of a JSON value, each with its path. */
export const linesOf = (value: unknown): readonly Line[] => {
  const lines: Line[] = []
  const print = (value: unknown, path: string, depth: number, before: string, after: string): void => {
    const isList = Array.isArray(value)
    const members: readonly (readonly [string, unknown])[] =
      typeof value !== 'object' || value === null
        ? []
        : isList
          ? value.map((one, i) => [String(i), one])
          : Object.entries(value)
    if (members.length === 0) {
      lines.push({ text: `${before}${JSON.stringify(value) ?? 'null'}${after}`, depth, path })
      return
    }
    const [open, close] = isList ? ['[', ']'] : ['{', '}']
    const at = lines.length
    lines.push({ text: '', depth, path })
    members.forEach(([name, one], i) => {
      const comma = i < members.length - 1 ? ',' : ''
      if (isList) print(one, `${path}[${name}]`, depth + 1, '', comma)
      else print(one, below(path, name), depth + 1, `${JSON.stringify(name)}: `, comma)
    })
    lines[at] = { text: `${before}${open}`, depth, path, closedBy: lines.length, members: members.length }
    lines.push({ text: `${close}${after}`, depth, path })
  }
  print(value, '', 0, '', '')
  return lines
}

/** The lines that are not within a collapsed list or object. */
export const shownLines = (lines: readonly Line[], collapsed: ReadonlySet<number>): readonly number[] => {
  const shown: number[] = []
  for (let i = 0; i < lines.length; i++) {
    shown.push(i)
    const { closedBy } = lines[i] as Line
    if (closedBy !== undefined && collapsed.has(i)) i = closedBy
  }
  return shown
}

/** Those without the ones that hide this line. */
export const opened = (lines: readonly Line[], collapsed: ReadonlySet<number>, line: number): ReadonlySet<number> =>
  new Set([...collapsed].filter(at => !(at < line && line <= (lines[at]?.closedBy ?? -1))))

/** All that can be collapsed, but the whole. */
export const inner = (lines: readonly Line[]): ReadonlySet<number> =>
  new Set(lines.flatMap(({ closedBy }, i) => (closedBy !== undefined && i > 0 ? [i] : [])))

/** The lines that contain a text, whatever the case. */
export const matching = (lines: readonly Line[], text: string): readonly number[] => {
  const wanted = text.toLowerCase()
  return wanted === '' ? [] : lines.flatMap((line, i) => (line.text.toLowerCase().includes(wanted) ? [i] : []))
}
