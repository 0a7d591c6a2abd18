import { setTimeout as delay } from 'node:timers/promises'
import { randomOf } from '../lives/history.ts'
import { type Asker, createAsker } from './ask.ts'
import type { World } from './calls/call.ts'
import { nastyCalls } from './calls/index.ts'
import { faultOf } from './judge.ts'
import type { Hostile } from './people.ts'
import type { Prey } from './prey.ts'
import { createRawAttacker, type RawAttacker, rawAttacks } from './raw-attacks.ts'
import { drawFrom } from './values.ts'

export interface StreamOptions {
  readonly url: string
  readonly seed: number
  readonly tokens: Readonly<Record<Hostile, string>>
  readonly badTokens: readonly string[]
  readonly prey: Prey
}

/** How many calls a hostile user makes at once. */
const LANES = 3
/** The most bytes that each lane sends in large bodies. */
const MOST_BYTES = 20_000_000
/** Codes of refusals that show that a limit was reached. */
const CODE = /"code":"([A-Z_]+)"/

const shuffled = <A>(items: readonly A[], random: () => number): readonly A[] =>
  items
    .map(item => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)

/** Hostile users, each with its own seed: they try all their calls, in a new order each time. */
export const createHostileStream = ({ url, seed, tokens, badTokens, prey }: StreamOptions) => {
  const faults: string[] = []
  const codes = new Map<string, number>()
  const tried = new Map<string, number>()
  const askers: Asker[] = []
  const attackers: RawAttacker[] = []

  const worldOf = (random: () => number): World & { readonly keep: (text: string) => void } => {
    const draw = drawFrom(random)
    const own: string[] = []
    let cursor = ''
    let left = MOST_BYTES
    return {
      ...draw,
      badTokens,
      own,
      others: kind => (prey[kind].length === 0 ? draw.id() : draw.of(prey[kind])),
      size: bytes => {
        left -= bytes
        return left > 0 ? bytes : 1_000
      },
      cursor: () => {
        const at = draw.number(cursor.length + 1)
        return draw.of([
          cursor,
          `${cursor.slice(0, at)}${draw.of(['A', '=', '\u0000', '%'])}${cursor.slice(at + 1)}`,
          draw.text().slice(0, 2_000),
        ])
      },
      keep: text => {
        const [, id] = /"(?:commandId|id)":"([0-9a-f-]{36})"/.exec(text) ?? []
        if (id !== undefined && own.length < 50) own.push(id)
        const [, next] = /"nextCursor":"([^"]+)"/.exec(text) ?? []
        if (next !== undefined) cursor = next
      },
    }
  }

  const lane = async (who: Hostile, number: number, asker: Asker, attacker: RawAttacker, goesOn: () => boolean) => {
    const random = randomOf(seed + number)
    const world = worldOf(random)
    const calls = nastyCalls.filter(([, whose]) => whose.includes(who))
    const attacks = rawAttacks.filter(one => one.who.includes(who))
    const doings = [
      ...calls.map(([name, , verdict, call]) => async () => {
        const asked = call(world)
        const answered = await asker.ask(asked)
        const fault = faultOf(verdict, asked, answered)
        if (fault !== null) faults.push(`${who}: ${name} ${fault}`)
        const code = CODE.exec(answered.text)?.[1] ?? String(answered.status)
        codes.set(code, (codes.get(code) ?? 0) + 1)
        if (answered.status < 300) world.keep(answered.text)
        return name
      }),
      ...attacks.map(attack => async () => {
        await Promise.all(Array.from({ length: attack.times ?? 1 }, () => attacker.attack(attack, world)))
        return attack.name
      }),
    ]
    while (goesOn()) {
      for (const doing of shuffled(doings, random)) {
        if (!goesOn()) return
        const name = await doing()
        tried.set(name, (tried.get(name) ?? 0) + 1)
        await delay(0)
      }
    }
  }

  return {
    faults: () => [...new Set([...faults, ...attackers.flatMap(attacker => attacker.faults)])],
    /** How often each answer was given. */
    codes: (): Readonly<Record<string, number>> => Object.fromEntries(codes),
    /** The calls that no hostile user has tried. */
    untried: () =>
      [...nastyCalls.map(([name]) => name), ...rawAttacks.map(({ name }) => name)].filter(name => !tried.has(name)),
    tried: () => [...tried.values()].reduce((sum, one) => sum + one, 0),
    tooManyReaders: () => attackers.reduce((sum, attacker) => sum + attacker.limited(), 0),
    run: async (goesOn: () => boolean): Promise<void> => {
      const lanes = (Object.keys(tokens) as Hostile[]).flatMap((who, person) => {
        const asker = createAsker(url, tokens[who])
        const attacker = createRawAttacker(url, tokens[who])
        askers.push(asker)
        attackers.push(attacker)
        return Array.from({ length: LANES }, (_, i) => lane(who, person * LANES + i, asker, attacker, goesOn))
      })
      await Promise.all(lanes)
    },
    /** Ends the connections that they hold open. */
    leave: async (): Promise<void> => {
      for (const asker of askers) asker.close()
      await Promise.all(attackers.map(attacker => attacker.close()))
    },
  }
}
