import type { ModuleHandler } from '../../application/ports/deploying.ts'
import { definitionOf, type Handler } from '../worker/attempt/handler.ts'
import type { DomainHandlers, KnownHandlers } from './in-process.ts'
import { whyNot } from './rehearsable.ts'

/** The most workers of a domain whose handlers are remembered, also after they end; the newest stay. */
const MOST_OF_A_DOMAIN = 100

type Handlers = { readonly [commandType: string]: Handler }

/** The handlers of one domain by type; `*` is for every type without its own handler. */
export const handlersByType = (handlers: Handlers): KnownHandlers => ({
  handlerOf: type => {
    const handler = Object.hasOwn(handlers, type) ? handlers[type] : handlers['*']
    return handler === undefined ? undefined : definitionOf(handler)
  },
})

/** The handlers of a module, which are all known. */
export interface ModuleHandlers extends DomainHandlers {
  readonly listed: () => readonly ModuleHandler[]
}

export const moduleHandlers = (all: ReadonlyMap<string, Handlers>): ModuleHandlers => ({
  domains: () => [...all.keys()],
  of: domain => {
    const own = all.get(domain)
    return own === undefined ? undefined : handlersByType(own)
  },
  listed: () =>
    [...all].flatMap(([domain, handlers]) =>
      Object.entries(handlers).map(([commandType, handler]) => {
        const definition = definitionOf(handler)
        const { sensitive = [] } = definition
        return { domain, commandType, refusal: whyNot(definition, commandType), sensitive }
      }),
    ),
})

/** The given handlers and those of workers made since; for each type the newest worker comes first. */
export const knownHandlers = (given: { readonly [domain: string]: Handlers }) => {
  const workers = new Map<string, KnownHandlers[]>()
  return {
    add: (domain: string, worker: KnownHandlers): void => {
      workers.set(domain, [worker, ...(workers.get(domain) ?? [])].slice(0, MOST_OF_A_DOMAIN))
    },
    domains: (): readonly string[] => [...new Set([...Object.keys(given), ...workers.keys()])],
    of: (domain: string): KnownHandlers | undefined => {
      const all = [
        ...(Object.hasOwn(given, domain) ? [handlersByType(given[domain] ?? {})] : []),
        ...(workers.get(domain) ?? []),
      ]
      return all.length === 0
        ? undefined
        : {
            handlerOf: type => all.map(one => one.handlerOf(type)).find(handler => handler !== undefined),
            mapError: all.find(one => one.mapError !== undefined)?.mapError,
          }
    },
  }
}
