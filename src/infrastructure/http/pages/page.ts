import type { FastifyInstance } from 'fastify'

export interface PageFacts {
  /** What runs, as names and values. */
  readonly running: readonly (readonly [name: string, value: string])[]
  /** Shell commands to try. */
  readonly commands: readonly string[]
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const asHtml = (text: string): string => text.replace(/[&<>"']/g, character => escapes[character] ?? '')

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; color: #1c2733; }
  dt { float: left; clear: left; width: 8rem; color: #5b6b7b; } dd { margin-left: 8.5rem; overflow-wrap: anywhere; }
  pre { background: #f2f4f7; padding: 1rem; border-radius: 6px; overflow-x: auto; }
  @media (prefers-color-scheme: dark) { body { background: #12181f; color: #dde5ee; } pre { background: #1c2530; } a { color: #8ec2ff; } }`

const render = ({ running, commands }: PageFacts): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>commandbus</title>
<style>${style}</style>
</head>
<body>
<h1>commandbus</h1>
<p>An event-sourced command bus on PostgreSQL and pgmq. This is what runs here:</p>
<dl>${running.map(([name, value]) => `<dt>${asHtml(name)}</dt><dd>${asHtml(value)}</dd>`).join('')}</dl>
<p>The console is not part of this build: <code>npm run build</code> makes it.</p>
<p>Health: <a href="/health/ready">/health/ready</a>, <a href="/health/live">/health/live</a></p>
<h2>Try it in a terminal</h2>
<pre>${asHtml(commands.join('\n'))}</pre>
</body>
</html>
`

/** A page for people who open the address in a browser, where the console was not built. */
export const addPage = (app: FastifyInstance, facts: () => PageFacts): void => {
  app.get('/', (_, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
      .header('x-content-type-options', 'nosniff')
      .send(render(facts())),
  )
}
