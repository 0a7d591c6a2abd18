import { access } from './scenarios/access.ts'
import { bulk } from './scenarios/bulk.ts'
import { clearing } from './scenarios/clearing.ts'
import { everybody } from './scenarios/everybody.ts'
import { living } from './scenarios/living.ts'
import { operations } from './scenarios/operations.ts'
import { useStage } from './stage.ts'

const stage = useStage()

access(stage)
clearing(stage)
bulk(stage)
operations(stage)
living(stage)
everybody(stage, async () => {
  const [id = ''] = (await stage.bus.troubleshooting.list({ domain: 'demo', limit: 1 })).items.map(i => i.commandId)
  return [
    '/',
    '/commands',
    `/commands/demo/${id}`,
    '/search?q=LOOK_ONLY',
    '/troubleshooting',
    '/troubleshooting?view=list',
    '/operations',
    '/nothing',
  ]
})
