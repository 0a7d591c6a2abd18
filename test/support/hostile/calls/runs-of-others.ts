import { all, customers, get, type NastyCall, operators, post, remove, send, senders } from './call.ts'

/** Calls on runs, credits and operations of others, and calls with a false identity. */
export const runsOfOthers: readonly NastyCall[] = [
  // runs, credits and operations of others
  [
    'a run for another tenant',
    customers,
    'refused',
    w => post('/workflow-runs', { templateId: w.others('templates'), tenantId: 'b', files: [{ fileName: 'x' }] }),
  ],
  [
    'a run of a template of another tenant',
    customers,
    'refused',
    w => post('/workflow-runs', { templateId: w.others('templates'), files: [{ fileName: 'x' }] }),
  ],
  [
    'a look at a run of another tenant',
    customers,
    'refused',
    w => get(`/workflow-runs/${w.others('runs')}${w.of(['', '/retry-failed', '/history'])}`),
  ],
  [
    'a Continue of a run of another tenant',
    customers,
    'refused',
    w => post(`/workflow-runs/${w.others('runs')}/retry-failed`),
  ],
  [
    'a cancel of a run of another tenant',
    customers,
    'refused',
    w => post(`/workflow-runs/${w.others('runs')}/cancel`, { reason: 'mine' }),
  ],
  [
    'the history of a run of another tenant',
    operators,
    'refused',
    w => get(`/workflow-runs/${w.others('runs')}/history`),
  ],
  [
    'lists of another tenant',
    customers,
    'refused',
    w => get(`${w.of(['/workflow-runs', '/workflow-templates', '/credits'])}?tenantId=b`),
  ],
  ['the template of another tenant', customers, 'refused', w => remove(`/workflow-templates/${w.others('templates')}`)],
  [
    'credits for nothing',
    all,
    'refused',
    w =>
      post('/credits/grants', {
        pool: 'purchased',
        amount: 1_000_000,
        reason: 'gift',
        ...w.of([{}, { tenantId: 'b' }, { tenantId: 'a' }]),
      }),
  ],
  [
    'a run that nobody can pay',
    customers,
    'refused',
    w =>
      post('/workflow-runs', {
        templateId: w.own[0] ?? w.id(),
        files: Array.from({ length: 10_000 }, (_, i) => ({ fileName: `${i}` })),
      }),
  ],
  [
    'a template with an odd name or price',
    customers,
    'own',
    w => post('/workflow-templates', { name: w.text(), creditsPerRun: w.of([1, 1_000_000, -1, 0.5, 1e99, '1', null]) }),
  ],
  ['operations of somebody else', customers, 'refused', w => get(`/operations/${w.others('operations')}`)],
  [
    'a retry of an operation of somebody else',
    customers,
    'refused',
    w => post(`/operations/${w.others('operations')}/retry`),
  ],
  [
    'an operation with odd parameters',
    customers,
    'own',
    w =>
      post('/operations', {
        operation_type: w.of(['Ask', w.text()]),
        parameters: w.data(),
        session_id: w.of([null, w.text()]),
      }),
  ],
  // who one is
  [
    'a token that opens nothing',
    all,
    'refused',
    w => ({
      ...w.of([send({}), get('/commands'), get('/credits'), get('//metrics')]),
      authorization: w.of(w.badTokens),
    }),
  ],
  [
    'a command that says whose it is',
    senders,
    'refused',
    w =>
      send(
        w.of([
          { tenantId: 'b' },
          { actor: 'bob' },
          { ownerId: 'dave' },
          { operator: 'bob' },
          { parentCommandId: w.id() },
        ]),
      ),
  ],
  [
    'a question that says whose it is',
    ['mallory', 'oscar'],
    'refused',
    w => get(`/commands?${w.of(['tenantId=b', 'tenantId=', 'tenant=b', 'ownerId=dave'])}`),
  ],
  [
    'headers that say whose it is',
    all,
    'own',
    w => ({
      ...get('/stats'),
      headers: {
        'x-tenant': 'b',
        'x-tenant-id': 'b',
        'x-forwarded-user': 'bob',
        'x-http-method-override': w.of(['DELETE', 'POST']),
        'x-forwarded-for': '127.0.0.1',
        cookie: 'token=bob',
        forwarded: 'for=127.0.0.1',
      },
    }),
  ],
  [
    'metrics and reasons of health',
    all,
    'own',
    w => get(w.of(['//metrics', '//health/ready', '//health/live', '//openapi.json', '//docs', '/proof', '/stats'])),
  ],
]
