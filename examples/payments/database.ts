import { execFileSync } from 'node:child_process'

/** `DATABASE_URL`, or the embedded server of a service that runs (`npm start`). */
export const findDatabase = (): string => {
  const { DATABASE_URL } = process.env
  if (DATABASE_URL) return DATABASE_URL
  const { databaseUrl, health } = JSON.parse(
    execFileSync('npx', ['commandbus', 'doctor', '--json'], { encoding: 'utf8' }),
  )
  if (health.checks.service.running !== true)
    throw new Error('run `npm start` in another terminal, or set DATABASE_URL')
  return databaseUrl
}
