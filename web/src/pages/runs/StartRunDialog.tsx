import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { templatesQuery } from '../../api/queries.ts'
import { useSessionState } from '../../api/session.ts'
import { navigate } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { NumberField } from '../../components/Field.tsx'
import { JsonEditor, parseJson } from '../../components/JsonEditor.tsx'
import { Answered } from '../../components/states.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'
import { NewTemplate } from './NewTemplate.tsx'
import { credits, files as filesText } from './words.tsx'

interface StartRunDialogProps {
  readonly tenantId: string | undefined
  /** The template that is chosen at first. */
  readonly templateId?: string
  readonly onClose: () => void
}

/** A template, the names of the files, and what each job gets: the same input for all of them. */
export const StartRunDialog = ({ tenantId, templateId = '', onClose }: StartRunDialogProps) => {
  const tenant = tenantId === undefined ? {} : { tenantId }
  const templates = useQuery(templatesQuery(tenant))
  const [picked, setPicked] = useState(templateId)
  const [names, setNames] = useState('')
  const [input, setInput] = useState('{}')
  const [retries, setRetries] = useState(3)
  const usable = templates.data?.items.filter(({ archivedAt }) => archivedAt === null) ?? []
  const template = usable.find(({ id }) => id === picked) ?? usable[0]
  const fileNames = names.split('\n').flatMap(name => (name.trim() === '' ? [] : [name.trim()]))
  const parsed = parseJson(input)
  const { session } = useSessionState()
  // the server makes runs of this role test runs
  const free = session?.roles.includes('BUBBLE_ADMIN') === true
  const cost = free ? 0 : (template?.creditsPerRun ?? 0) * fileNames.length
  const start = useMutation({
    mutationFn: () =>
      api.startRun({
        body: {
          templateId: template?.id ?? '',
          files: fileNames.map(fileName => ({ fileName, ...(parsed.ok ? { input: parsed.value } : {}) })),
          maxRetryCount: retries,
          ...tenant,
        },
      }),
    onSuccess: ({ id }) => {
      onClose()
      navigate(`/runs/${id}`)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    start.mutate()
  }
  return (
    <Dialog title="Start a run" onClose={onClose}>
      <Answered query={templates} what="templates">
        {() =>
          template === undefined ? (
            <NewTemplate tenantId={tenantId}>
              A run needs a template, which sets the price per file. There is none yet.
            </NewTemplate>
          ) : (
            <form onSubmit={submit} className="grid gap-4">
              <label className="grid gap-1 font-medium">
                Template
                <select className="field font-normal" value={template.id} onChange={e => setPicked(e.target.value)}>
                  {usable.map(({ id, name, creditsPerRun }) => (
                    <option key={id} value={id}>
                      {name}, {credits(creditsPerRun)} per file{free && ' (free in a test run)'}
                    </option>
                  ))}
                </select>
              </label>
              <label className="grid gap-1 font-medium">
                Files, one name per line
                <textarea
                  className="field font-mono text-xs font-normal"
                  rows={4}
                  required
                  value={names}
                  onChange={event => setNames(event.target.value)}
                />
              </label>
              <JsonEditor label="Input of each file" value={input} onChange={setInput} rows={4} />
              <NumberField label="Max. retries per file" min={1} max={10} value={retries} onChange={setRetries} />
              {free && (
                <p className="text-muted">
                  Your token has the role BUBBLE_ADMIN, the administrator of all tenants. Its runs are test runs, and
                  cost nothing. Runs of other roles cost the price of their template.
                </p>
              )}
              <Refusal error={start.error} />
              <DialogButtons>
                <Button onClick={onClose}>Close</Button>
                <Button
                  type="submit"
                  look="primary"
                  busy={start.isPending}
                  disabled={fileNames.length === 0 || !parsed.ok}
                >
                  Start with {filesText(fileNames.length)} {free ? 'as a free test run' : `for ${credits(cost)}`}
                </Button>
              </DialogButtons>
            </form>
          )
        }
      </Answered>
    </Dialog>
  )
}
