import type { Command } from 'commander'
import { type CampaignOptions, campaignOf } from '../../../application/acting/campaign-input.ts'
import { defined } from '../../../application/shared/input.ts'
import type { StopRule } from '../../../domain/campaign/campaign.ts'
import type { ParkedAction } from '../../../domain/command/operator-actions.ts'
import { UsageError } from '../support/failure.ts'
import { numberOf } from '../support/input.ts'

/** The flags that make an action on many a campaign. */
export interface CampaignFlags {
  readonly canary?: number
  readonly stages?: readonly number[]
  readonly rate?: number
  readonly stopWhen?: StopRule
  readonly between?: { readonly from: string; readonly to: string }
  readonly timeZone?: string
  readonly undoSeconds?: number
}

export const addCampaignFlags = (command: Command, name: ParkedAction): void => {
  if (name === 'retry') {
    command
      .option(
        '--canary <n>',
        'of many: retry so many first, and the rest when they have completed',
        numberOf('--canary'),
      )
      .option(
        '--stages <percents>',
        'of many: in stages, like 1,5,25,100; each begins when the last has ended',
        stagesOf,
      )
      .option(
        '--stop-when <rules>',
        'of many: end it when so many did not complete: failures=20, share=5% of a stage, or sameCause=3 with the error they had before',
        rulesOf,
      )
  }
  command
    .option('--rate <n>', 'of many: so many a second', rateOf)
    .option('--between <hours>', 'of many: only at these hours, like 09:00-17:00', hoursOf)
    .option('--time-zone <zone>', 'of --between, like Europe/Berlin (default: that of this machine)')
  if (name === 'cancel' || name === 'complete') {
    command.option(
      '--undo-seconds <n>',
      'of many: do nothing for so long, and let `tsq actions stop` undo it (default: 10 at a terminal)',
      numberOf('--undo-seconds'),
    )
  }
}

/** What the flags ask for, checked. @throws InvalidInputError, UsageError */
export const campaignIn = (flags: CampaignFlags): CampaignOptions & { readonly canary?: number } => {
  if (flags.timeZone !== undefined && flags.between === undefined) {
    throw new UsageError('--time-zone is about --between: give the hours too')
  }
  const timeZone = flags.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  const campaign = defined({
    stages: flags.stages,
    ratePerSecond: flags.rate,
    stopWhen: flags.stopWhen,
    between: flags.between === undefined ? undefined : { ...flags.between, timeZone },
  })
  campaignOf(campaign)
  return { ...campaign, ...defined({ canary: flags.canary, undoSeconds: flags.undoSeconds }) }
}

const numbersIn = (flag: string, text: string): readonly number[] =>
  text.split(',').map(part => {
    if (!/^\d+(\.\d+)?%?$/.test(part.trim())) throw new UsageError(`${flag} must be percentages, like 1,5,25,100`)
    return Number(part.trim().replace('%', ''))
  })

const stagesOf = (text: string): readonly number[] => numbersIn('--stages', text)

const rateOf = (text: string): number => {
  if (/^\d+(\.\d+)?$/.test(text.trim())) return Number(text)
  throw new UsageError('--rate must be a number, like 50')
}

const hoursOf = (text: string): { readonly from: string; readonly to: string } => {
  const [, from, to] = /^\s*(\d\d:\d\d)\s*-\s*(\d\d:\d\d)\s*$/.exec(text) ?? []
  if (from === undefined || to === undefined) throw new UsageError('--between must be hours, like 09:00-17:00')
  return { from, to }
}

const rulesOf = (text: string): StopRule =>
  Object.fromEntries(
    text.split(',').map(part => {
      const [, name, value, percent] = /^\s*(failures|share|sameCause)=(\d+(?:\.\d+)?)(%?)\s*$/.exec(part) ?? []
      if (name === undefined || (percent === '%' && name !== 'share')) {
        throw new UsageError('--stop-when must be rules, like share=5% or failures=20,sameCause=3')
      }
      return [name, percent === '%' ? Number(value) / 100 : Number(value)]
    }),
  )
