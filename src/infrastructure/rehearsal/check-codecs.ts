import { type CodecReport, createCodecReport } from '../../application/deploying/codec-report.ts'
import type { Payloads } from '../../application/ports/deploying.ts'
import { type AnyHandler, definitionOf, type Handler } from '../worker/attempt/handler.ts'
import { schemaFaults } from './payload.ts'

export interface CheckCodecsOptions {
  readonly payloads: Payloads
  /** By domain and command type. */
  readonly handlers: ReadonlyMap<string, { readonly [commandType: string]: Handler }>
  /** Of commands that have ended, only those that were sent since then. */
  readonly since: string
}

/** Decodes what waits, is parked or was sent since an instant, as the workers of these handlers would. */
export const checkCodecs = async ({ payloads, handlers, since }: CheckCodecsOptions): Promise<CodecReport> => {
  const report = createCodecReport()
  for (const [domain, given] of handlers) {
    const handlerOf = (type: string): AnyHandler | undefined => {
      const own = Object.hasOwn(given, type) ? given[type] : given['*']
      return own === undefined ? undefined : definitionOf(own)
    }
    const commandTypes = typesWithCodec(given)
    if (commandTypes?.length === 0) continue
    for await (const page of payloads.pages({ domain, commandTypes, since })) {
      for (const { data, ...command } of page) {
        const handler = handlerOf(command.commandType)
        if (handler?.payload === undefined) continue
        report.add({ domain, ...command }, await schemaFaults(handler.payload, data))
      }
    }
  }
  const open = await payloads.openTypes([...handlers.keys()])
  return report.result(
    open.filter(({ domain, commandType }) => {
      const own = handlers.get(domain) ?? {}
      return !Object.hasOwn(own, commandType) && !Object.hasOwn(own, '*')
    }),
  )
}

/** Null: every type, as `*` has a codec. */
const typesWithCodec = (handlers: { readonly [commandType: string]: Handler }): readonly string[] | null => {
  const types = Object.entries(handlers).flatMap(([type, handler]) =>
    definitionOf(handler).payload === undefined ? [] : [type],
  )
  return types.includes('*') ? null : types
}
