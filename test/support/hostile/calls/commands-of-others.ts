import { enc, get, type NastyCall, operators, post, remove, senders } from './call.ts'

const verbs = ['retry', 'cancel', 'complete', 'end-attempt', 'rehearse'] as const
const bodyOf: Readonly<Record<(typeof verbs)[number], object>> = {
  retry: { data: 'changed' },
  cancel: { reason: 'mine now' },
  complete: { resultData: 'forged' },
  'end-attempt': { reason: 'mine now' },
  rehearse: {},
}

/** Calls on commands of others, parked ones among them. */
export const commandsOfOthers: readonly NastyCall[] = [
  // commands of others
  [
    'a cancel of a command of another tenant',
    senders,
    'refused',
    w => remove(`/domains/shop/commands/${w.others('commands')}?reason=x`),
  ],
  [
    'a look at a command of another tenant',
    senders,
    'refused',
    w => get(`/domains/shop/commands/${w.others('commands')}`),
  ],
  [
    'an audit of a command of another tenant',
    operators,
    'own',
    w => get(`/domains/shop/commands/${w.others('commands')}/audit`),
  ],
  [
    'a history of a command of another tenant',
    operators,
    'refused',
    w => get(`/domains/shop/commands/${w.others('commands')}/history`),
  ],
  [
    'a history without a right to it',
    ['mallory', 'trudy'],
    'refused',
    w => get(`/domains/shop/commands/${w.others('commands')}/history`),
  ],
  [
    'an operator’s act on a parked command of another tenant',
    operators,
    'refused',
    w => {
      const verb = w.of(verbs)
      return post(`/domains/shop/commands/${w.others('parked')}/${verb}`, bodyOf[verb])
    },
  ],
  [
    'an operator’s act on a file or an operation of another tenant',
    operators,
    'refused',
    w => {
      const verb = w.of(verbs)
      return post(
        `/domains/${w.of(['operations', 'workflow'])}/commands/${w.others('operations')}/${verb}`,
        bodyOf[verb],
      )
    },
  ],
  [
    'an operator’s act without a right to it',
    ['mallory', 'trudy'],
    'refused',
    w => {
      const verb = w.of(verbs)
      return post(`/domains/shop/commands/${w.others('parked')}/${verb}`, bodyOf[verb])
    },
  ],
  [
    'an operator’s act on what is not parked',
    operators,
    'refused',
    w => post(`/domains/shop/commands/${w.id()}/${w.of(['retry', 'complete'])}`),
  ],
  [
    'an act on many that names those of others',
    operators,
    'own',
    w =>
      post('/troubleshooting/actions', {
        action: w.of(['cancel', 'complete']),
        reason: 'x',
        ids: Array.from({ length: 20 }, () => ({ domain: 'shop', commandId: w.others('parked') })),
      }),
  ],
  [
    'an act on whatever is parked',
    operators,
    'own',
    w =>
      post('/troubleshooting/actions', {
        action: w.of(['cancel', 'retry']),
        reason: 'x',
        filter: w.of([{}, { domain: 'shop' }, { errorCode: 'BROKEN' }]),
        ...w.of([{}, { canary: 1 }]),
      }),
  ],
  [
    'a canary that never comes to its end',
    operators,
    'own',
    w => post('/troubleshooting/actions', { action: 'retry', canary: 1, filter: { domain: w.name() } }),
  ],
  [
    'a dry run over those of others',
    operators,
    'own',
    w =>
      post('/troubleshooting/actions/dry-run', {
        action: 'cancel',
        reason: 'x',
        ids: Array.from({ length: 50 }, () => ({ domain: 'shop', commandId: w.others('parked') })),
      }),
  ],
  [
    'twenty thousand ids in an act on many',
    operators,
    'own',
    w =>
      post('/troubleshooting/actions/dry-run', {
        action: 'complete',
        ids: Array.from({ length: 8_000 }, () => ({ domain: 'shop', commandId: w.others('parked') })),
      }),
  ],
  [
    'the stop of an action of another tenant',
    operators,
    'refused',
    w => post(`/troubleshooting/actions/${w.others('actions')}/stop`),
  ],
  [
    'a look at an action of another tenant',
    operators,
    'refused',
    w => get(`/troubleshooting/actions/${w.others('actions')}?items=true`),
  ],
  [
    'whatever has the correlation of others',
    operators,
    'own',
    w => get(`/correlations/${w.of([w.others('runs'), w.others('operations'), enc(w.text().slice(0, 300)) || 'x'])}`),
  ],
]
