import { gzipSync } from 'node:zlib'
import { rawBodies } from '../values.ts'
import { batch, many, type NastyCall, post, send, senders } from './call.ts'

const oddNames = [
  'A',
  'a%20b',
  '..',
  'a--b',
  "a'b",
  '%00',
  '%0d%0ax',
  '%F0%9F%92%A9',
  'x'.repeat(400),
  '%ed%a0%80',
  '_',
  '-',
]

/** Sends that are too large, odd, or different from what they declare. */
export const oddSends: readonly NastyCall[] = [
  // what is sent
  ['more than a body may be', senders, 'refused', () => send({ data: 'x'.repeat(1_100_000) })],
  [
    'as much as a body may be',
    senders,
    'own',
    w => send({ data: 'x'.repeat(w.size(900_000)) }, w.of(['shop', `pile-of-${w.of(['a', 'm'])}`])),
  ],
  ['what is no JSON, or too much of it', senders, 'own', w => post('/domains/shop/commands', w.of(rawBodies))],
  [
    'large ones that are parked',
    senders,
    'own',
    w => batch(many(6, () => ({ data: { broken: true, pad: 'x'.repeat(w.size(800_000)) } }))),
  ],
  ['odd data', senders, 'own', w => send({ data: w.data() })],
  [
    'odd texts',
    senders,
    'own',
    w =>
      send({
        commandType: w.of(['Nasty', w.text()]),
        data: w.text(),
        ...w.of([{ correlationId: w.text() }, { causationId: w.text() }, {}]),
      }),
  ],
  [
    'odd attempts and waits',
    senders,
    'own',
    w =>
      send(
        w.of([
          { maxAttempts: 0 },
          { maxAttempts: 1e9 },
          { maxAttempts: 1.5 },
          { backoffSeconds: [] },
          { backoffSeconds: [-1] },
          { backoffSeconds: Array(101).fill(1) },
          { backoffSeconds: [1e12] },
          { maxAttempts: 2, backoffSeconds: [0] },
        ]),
      ),
  ],
  [
    'a batch with one that is wrong',
    senders,
    'refused',
    w =>
      batch([
        ...many(50, () => ({})),
        w.of([
          null,
          1,
          {},
          { commandType: 'A' },
          { commandType: '', data: 1 },
          { commandType: 'A', data: 1, commandId: 'x' },
        ]),
      ]),
  ],
  ['a batch of too many', senders, 'refused', () => batch(many(10_001, () => ({})))],
  [
    'a large batch',
    senders,
    'own',
    w =>
      batch(
        many(w.of([0, 500]), i => ({ data: 'x'.repeat(i) })),
        `pile-of-${w.of(['a', 'm'])}`,
      ),
  ],
  ['a domain that can be none', senders, 'refused', w => send({}, w.of(oddNames))],
  [
    'another type of body',
    senders,
    'refused',
    w => ({
      ...post('/domains/shop/commands', w.of(['commandType=A&data=1', '<a/>', '{"commandType":"A","data":1}'])),
      headers: {
        'content-type': w.of([
          'text/plain',
          'application/x-www-form-urlencoded',
          'multipart/form-data; boundary=x',
          'application/xml',
          'text/json',
          ';',
        ]),
      },
    }),
  ],
  [
    'a compressed body',
    senders,
    'refused',
    () => ({
      ...post('/domains/shop/commands', gzipSync(Buffer.alloc(5_000_000))),
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
    }),
  ],
  [
    'another set of characters',
    senders,
    'refused',
    () => post('/domains/shop/commands', Buffer.from([0x22, 0xff, 0xfe, 0xc0, 0xaf, 0x22])),
  ],
  [
    'a trace that is none',
    senders,
    'own',
    w => ({
      ...send({}),
      headers: {
        traceparent: w.of([
          '',
          'x'.repeat(2_000),
          '00-0-0-0',
          'ff-00000000000000000000000000000000-0000000000000000-00',
          '"\\',
        ]),
        tracestate: 'a=b,'.repeat(200),
      },
    }),
  ],
]
