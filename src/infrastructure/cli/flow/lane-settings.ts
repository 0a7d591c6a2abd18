import type { Command } from 'commander'
import type { LaneOptions } from '../../../application/flow/lane-input.ts'
import { defined } from '../../../application/shared/input.ts'
import { onParkChoices } from '../../../domain/flow/lane/events.ts'
import { UsageError } from '../support/failure.ts'
import { numberOf } from '../support/input.ts'

export interface SettingFlags {
  readonly width: number
  readonly rate?: number
  readonly onPark?: LaneOptions['onPark']
  readonly operator?: string
  readonly json?: true
}

/** The options of `lanes set` and `limits set`. */
export const withSettings = (command: Command): Command =>
  withOperator(
    command
      .requiredOption('--width <n>', 'how many of its commands run at once, 1-1000', numberOf('--width'))
      .option('--rate <n>', 'how many begin within a second at most (default: no limit)', rateOf)
      .option(
        '--on-park <choice>',
        `a parked command: ${onParkChoices.join(' or ')} (default: hold; of a limit by type or tenant, pass)`,
      ),
  )

export const withOperator = (command: Command): Command =>
  command
    .option('--operator <name>', 'who you are, for the record (default: your user name)')
    .option('--json', 'print JSON')

export const settingsOf = ({ width, rate, onPark }: SettingFlags): LaneOptions => ({
  width,
  ...defined({ ratePerSecond: rate, onPark }),
})

const rateOf = (text: string): number => {
  if (!/^-?(\d+\.?\d*|\.\d+)$/.test(text.trim())) throw new UsageError('--rate must be a number')
  return Number(text)
}
