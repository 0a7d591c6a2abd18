import { join } from 'node:path'
import type { Pool } from 'pg'
import { readCase } from '../case/read-case.ts'
import type { Finding } from '../chain/finding.ts'

interface Named {
  readonly file: string
  readonly sha256: string
}

/** Checks that each file that a seal names is there, unchanged, and has the right contents. */
export const verifyFiles = async (pool: Pool, directory: string): Promise<readonly Finding[]> => {
  const { rows } = await pool.query<Named>(
    `select about#>>'{archive,file}' as file, about#>>'{archive,sha256}' as sha256
     from command_bus_seal where about ? 'archive' order by number`,
  )
  const findings: Finding[] = []
  for (const { file, sha256 } of rows) {
    const finding = (column: string, expected: string, found: string | null, message: string): void => {
      findings.push({ kind: 'archive', stream: file, revision: null, column, expected, found, message })
    }
    try {
      const report = await readCase(join(directory, file))
      for (const fault of report.faults) finding('*', 'as it was written', null, `line ${fault.line}: ${fault.message}`)
      if (report.sha256 !== sha256) finding('sha256', sha256, report.sha256, 'the file is not the one that was written')
    } catch (error) {
      finding('*', sha256, null, error instanceof Error ? error.message : String(error))
    }
  }
  return findings
}
