/** Keywords that begin or end a transaction, or change how later ones begin; `rollback to` and `release` do neither. */
const ENDS = new Set(['commit', 'end', 'abort', 'begin', 'start', 'rollback'])

/**
 * The first statement of an SQL text that would end its transaction, or defer its end; null: none. Checks every statement,
 * and skips quoted texts, names and comments.
 */
export const endOfTransaction = (sql: string): string | null => {
  for (const statement of statementsOf(sql)) {
    const words = statement
      .toLowerCase()
      .split(/[^a-z_]+/)
      .filter(word => word !== '')
    const [first = '', second = '', third = ''] = words
    const toSavepoint = first === 'rollback' && words.slice(1, 4).includes('to') && second !== 'prepared'
    if (ENDS.has(first) && !toSavepoint) return first
    if (first === 'prepare' && second === 'transaction') return 'prepare transaction'
    if (first === 'reset' && ['all', 'default_transaction_read_only'].includes(second)) return first
    if (first === 'set' && [second, third].some(word => word === 'default_transaction_read_only')) return first
    if (first === 'set' && words.includes('characteristics')) return first
  }
  return null
}

/** Statements whose effect stays on the session after its transaction. */
const LASTING = new Set(['reset', 'listen', 'unlisten', 'prepare', 'deallocate', 'discard', 'load', 'do', 'call'])
const LASTING_CALLS = /\b(set_config|setseed|pg_(try_)?advisory_lock(_shared)?|dblink_connect(_u)?)\s*\(/i

/**
 * Whether an SQL text may leave a setting, a lock, a listener or a temporary table on its session. It does not see what the
 * user's own functions do.
 */
export const leavesTraces = (sql: string): boolean =>
  statementsOf(sql).some(statement => {
    const words = statement.toLowerCase().split(/[^a-z_]+/)
    const [first = '', second = '', ...rest] = words.filter(word => word !== '')
    return (
      LASTING.has(first) ||
      (first === 'set' && !['local', 'constraints', 'transaction'].includes(second)) ||
      // also after `or replace`, `local` and `unlogged`, and with pg_temp as the schema
      (first === 'create' && [second, ...rest.slice(0, 3)].some(word => /^(temp|temporary|pg_temp)$/.test(word))) ||
      (first === 'create' && /\bpg_temp\s*\./i.test(statement)) ||
      (first === 'select' && /\binto\s+(local\s+|global\s+)?temp(orary)?\b/i.test(statement)) ||
      (first === 'declare' && words.includes('hold')) ||
      LASTING_CALLS.test(statement)
    )
  })

const QUOTED = /^(?:[eE]'(?:[^'\\]|''|\\[\s\S])*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?)/
const DOLLAR = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/

/** Splits at semicolons; what is quoted or commented out becomes a blank. */
const statementsOf = (sql: string): readonly string[] => {
  const statements: string[] = []
  let statement = ''
  for (let i = 0; i < sql.length; ) {
    const skipped = skippedAt(sql, i)
    if (skipped > 0) {
      statement += ' '
      i += skipped
    } else if (sql[i] === ';') {
      statements.push(statement)
      statement = ''
      i++
    } else {
      statement += sql[i]
      i++
    }
  }
  return [...statements, statement]
}

/** How many characters from `at` on are a comment or quoted. */
const skippedAt = (sql: string, at: number): number => {
  const isInWord = at > 0 && /[\w$\u0080-\uffff]/.test(sql[at - 1] ?? '')
  switch (sql[at]) {
    case '-':
      return sql[at + 1] === '-' ? lengthTo(sql, at, /\r|\n/g) : 0
    case '/':
      return sql[at + 1] === '*' ? commentAt(sql, at) : 0
    case 'e':
    case 'E':
      return isInWord ? 0 : (QUOTED.exec(sql.slice(at, at + 2) === `${sql[at]}'` ? sql.slice(at) : '')?.[0].length ?? 0)
    case "'":
    case '"':
      return QUOTED.exec(sql.slice(at))?.[0].length ?? 0
    case '$': {
      const tag = isInWord ? undefined : DOLLAR.exec(sql.slice(at, at + 66))?.[0]
      if (tag === undefined) return 0
      const end = sql.indexOf(tag, at + tag.length)
      return end < 0 ? sql.length - at : end + tag.length - at
    }
    default:
      return 0
  }
}

const lengthTo = (sql: string, at: number, end: RegExp): number => {
  end.lastIndex = at
  return (end.exec(sql)?.index ?? sql.length) - at
}

/** Comments nest. */
const commentAt = (sql: string, at: number): number => {
  let depth = 0
  for (let i = at; i < sql.length; ) {
    const two = sql.slice(i, i + 2)
    if (two === '/*') depth++
    if (two === '*/') depth--
    i += two === '/*' || two === '*/' ? 2 : 1
    if (depth === 0) return i - at
  }
  return sql.length - at
}
