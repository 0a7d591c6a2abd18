import { useProgram } from '../support/servers/cli.ts'
import { access } from './scenarios/access.ts'
import { bulk } from './scenarios/bulk.ts'
import { clearing } from './scenarios/clearing.ts'
import { dense } from './scenarios/dense.ts'
import { everybody } from './scenarios/everybody.ts'
import { incidents } from './scenarios/incidents.ts'
import { investigating } from './scenarios/investigating.ts'
import { living } from './scenarios/living.ts'
import { operations } from './scenarios/operations.ts'
import { runs } from './scenarios/runs.ts'
import { useStage } from './stage.ts'

const stage = useStage()

access(stage)
clearing(stage)
bulk(stage)
dense(stage)
operations(stage)
runs(stage)
living(stage)
investigating(stage)
incidents(stage, useProgram())
everybody(stage, async () => {
  const [id = ''] = (await stage.bus.troubleshooting.list({ domain: 'demo', errorCode: 'LOOK_ONLY' })).items.map(
    i => i.commandId,
  )
  const { items } = await stage.served.client(await stage.served.token(['BUBBLE_ADMIN'])).listRuns()
  const [run] = items
  const [action] = (await stage.bus.actions.list({ limit: 1 })).items
  return [
    '/',
    '/commands?errorCode=LOOK_ONLY',
    `/commands/demo/${id}`,
    '/search?q=LOOK_ONLY',
    '/troubleshooting?errorCode=LOOK_ONLY',
    '/troubleshooting?view=list&errorCode=LOOK_ONLY',
    '/troubleshooting/actions',
    '/troubleshooting/owed',
    `/troubleshooting/actions/${action?.actionId}`,
    '/workers',
    '/lanes',
    '/alerts',
    '/troubleshooting/replies',
    '/troubleshooting/strangers',
    '/schedules',
    '/types',
    '/types/demo/Greet?range=24h',
    '/queues',
    '/queues/demo__commands?range=1h',
    '/operations',
    '/runs',
    '/runs/templates',
    '/credits?tenantId=t1',
    `/runs/${run?.id}`,
    '/audit',
    '/audit?correlationId=story-1',
    '/audit?view=then&errorCode=LOOK_ONLY',
    '/audit?view=proof',
    '/nothing',
  ]
})
