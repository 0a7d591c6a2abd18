import { execFileSync } from 'node:child_process'
import pg from 'pg'
import { findDatabase } from '../payments/database.ts'

export interface ExampleDatabase {
  readonly url: string
  readonly drop: () => Promise<void>
}

/**
 * `DATABASE_URL`, or else a new database on the server of `npm start`: in the service's own database its demo worker
 * would take the operations first.
 */
export const prepareDatabase = async (): Promise<ExampleDatabase> => {
  const found = findDatabase()
  if (process.env.DATABASE_URL) return { url: found, drop: async () => {} }
  const name = `ai_example_${process.pid}`
  const onServer = async (sql: string): Promise<void> => {
    const client = new pg.Client(found)
    await client.connect()
    await client.query(sql)
    await client.end()
  }
  const url = new URL(found)
  url.pathname = `/${name}`
  await onServer(`create database ${name}`)
  execFileSync('npx', ['commandbus', 'migrate'], { env: { ...process.env, DATABASE_URL: url.href } })
  return { url: url.href, drop: () => onServer(`drop database ${name} with (force)`) }
}
