import type { Command } from 'commander'

/** Command lines that the help of a command shows, by the command. */
export const examples: { readonly [path: string]: readonly string[] } = {
  start: ['start --demo', 'start --port 8080'],
  worker: ['worker --handlers ./handlers.js --domain payments'],
  send: [
    `send payments ChargeCard --data '{"amount": 25}'`,
    'send payments ChargeCard --data @order.json --run-at 30m --wait 60',
  ],
  list: ['list --status failed --domain payments', 'list --type ChargeCard --created-after 2026-01-31 --all --json'],
  show: ['show 5f0c2a7e-0000-4000-8000-000000000001'],
  audit: ['audit 5f0c2a7e-0000-4000-8000-000000000001'],
  replay: ['replay 5f0c2a7e-0000-4000-8000-000000000001 --at 2026-01-31T12:00Z', 'replay --correlation order-30021'],
  'tsq list': ['tsq list --error-code PSP_UNAUTHORIZED', 'tsq list --at 2026-01-31T12:00Z'],
  'tsq retry': [
    'tsq retry 5f0c2a7e-0000-4000-8000-000000000001 --operator jane@example.com',
    'tsq retry --error-code PSP_UNAUTHORIZED --canary 2 --operator jane@example.com',
    'tsq retry --domain payments --error-code TIMEOUT --dry-run',
  ],
  rehearse: [
    'rehearse 5f0c2a7e-0000-4000-8000-000000000001 --handlers ./handlers.js',
    'rehearse --since 24h --handlers ./next.js --ignore result.at --junit rehearsal.xml',
    'rehearse --since 7d --type ChargeCard --handlers ./next.js --against ./previous.js',
  ],
  'codecs check': ['codecs check --handlers ./next.js', 'codecs check --handlers ./next.js --since 30d --json'],
  pause: ['pause payments --until 2h --reason "the provider is down"'],
  completion: ['completion bash >> ~/.bashrc'],
}

/** Adds them to the help. */
export const addExamples = (program: Command, path = ''): void => {
  for (const command of program.commands) {
    const name = `${path}${command.name()}`
    const lines = examples[name]
    if (lines !== undefined)
      command.addHelpText('after', `\nExamples:\n${lines.map(line => `  commandbus ${line}`).join('\n')}`)
    addExamples(command, `${name} `)
  }
}
