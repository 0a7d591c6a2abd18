import { batch, fileOf, many, type NastyCall, operators, post, remove, retryOf, send, senders } from './call.ts'

/** Calls with queues and ids that belong to others, or will. */
export const idsOfOthers: readonly NastyCall[] = [
  // queues of others
  ['a reply to the queue of another tenant', senders, 'refused', () => send({ replyTo: 't_b__replies' })],
  ['a reply to the queue of those without a tenant', senders, 'refused', () => send({ replyTo: 'shop__replies' })],
  [
    'a reply to a queue of commands',
    senders,
    'refused',
    w => send({ replyTo: w.of(['shop__commands', 'workflow__commands', 'operations__commands', 't_a__commands']) }),
  ],
  [
    'a reply to what can be no queue',
    senders,
    'refused',
    w =>
      send({
        replyTo: w.of([
          't_a__x--y',
          't_a__commands_vt_idx',
          'T_A__x',
          `t_a__${'x'.repeat(60)}`,
          "t_a__'",
          '',
          '\u0000',
          't_b__\u2028',
        ]),
      }),
  ],
  [
    'a reply queue of another tenant inside a batch',
    senders,
    'refused',
    w =>
      batch([
        ...many(20, () => ({})),
        { commandType: 'N', data: 1, replyTo: w.of(['t_b__replies', 't_b__new', 'shop__replies']) },
      ]),
  ],
  ['one more domain', senders, 'own', w => send({}, w.name())],
  ['one more reply queue', ['oscar'], 'own', w => send({ replyTo: `t_a__${w.name()}` })],
  [
    'a batch with more reply queues than one may make, and fewer than all may',
    ['mallory'],
    'refused',
    w => batch(many(15, () => ({ replyTo: `t_m__${w.name()}` }))),
  ],
  [
    'kept replies to the queue of another tenant',
    operators,
    'refused',
    () => post('/replies/undelivered/deliver', { to: 't_b__replies' }),
  ],
  [
    'kept replies of others',
    operators,
    'own',
    w => post('/replies/undelivered/deliver', { commandId: w.others('commands'), to: 't_a__replies' }),
  ],
  // ids of others
  ['an id that another tenant has taken', senders, 'refused', w => send({ commandId: w.others('commands') })],
  [
    'ids that another tenant has taken, in a batch',
    senders,
    'own',
    w => batch(many(10, () => ({ commandId: w.others('commands') }))),
  ],
  [
    'an id of the own, used again for something else',
    senders,
    'own',
    w => send({ commandId: w.own.at(-1) ?? w.id(), data: w.data() }),
  ],
  [
    'the same id twice in a batch',
    senders,
    'own',
    w =>
      batch([
        { commandType: 'A', data: 1, commandId: w.own.at(-1) ?? w.id() },
        { commandType: 'B', data: 2, commandId: w.own.at(-1) ?? w.id() },
      ]),
  ],
  [
    'a file of the next round, sent beforehand',
    senders,
    'refused',
    w => send({ commandId: fileOf(w.others('runs'), 2) }, 'workflow'),
  ],
  [
    'files of next rounds, in a batch',
    senders,
    'refused',
    w =>
      batch(
        many(5, i => ({ commandId: fileOf(w.others('runs'), i + 1) })),
        'workflow',
      ),
  ],
  [
    'the retry of an operation, sent beforehand',
    senders,
    'refused',
    w => send({ commandId: retryOf(w.others('operations')) }, 'operations'),
  ],
  [
    'a file of the next round, in a domain of its own',
    senders,
    'own',
    w => send({ commandId: fileOf(w.others('runs'), 2) }),
  ],
  [
    'files that nobody pays',
    senders,
    'refused',
    w =>
      send(
        {
          commandType: 'ProcessBatch',
          data: { runId: w.others('runs'), round: 9, files: [{ index: 0, input: {} }] },
        },
        'workflow',
      ),
  ],
  [
    'a cancel of a file',
    senders,
    'refused',
    w => remove(`/domains/workflow/commands/${fileOf(w.others('runs'), w.of([1, 2]))}`),
  ],
  [
    'a cancel of an operation',
    senders,
    'refused',
    w => remove(`/domains/operations/commands/${w.others('operations')}`),
  ],
]
