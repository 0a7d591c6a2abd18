import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { api, type Template } from '../../api/client.ts'
import { useSessionState } from '../../api/session.ts'
import { Button } from '../../components/Button.tsx'
import { NumberField, TextField } from '../../components/Field.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'

interface NewTemplateProps {
  readonly tenantId: string | undefined
  /** Shown above the form. */
  readonly children: ReactNode
  readonly onDone?: (made: Template) => void
}

/** The form for a new template. A user without a tenant chooses its tenant. */
export const NewTemplate = ({ tenantId, children, onDone = () => undefined }: NewTemplateProps) => {
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [price, setPrice] = useState(1)
  const [batchMode, setBatchMode] = useState(false)
  const [tenant, setTenant] = useState(tenantId ?? '')
  const { session } = useSessionState()
  const anyTenant = session?.tenant === null
  const create = useMutation({
    mutationFn: () =>
      api.createTemplate({
        body: {
          name: name.trim(),
          creditsPerRun: price,
          batchMode,
          ...(anyTenant && tenant.trim() !== '' ? { tenantId: tenant.trim() } : {}),
        },
      }),
    onSuccess: made => {
      onDone(made)
      return queries.invalidateQueries({ queryKey: ['templates'] })
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    create.mutate()
  }
  return (
    <form onSubmit={submit} className="grid gap-4">
      <p className="text-muted">{children}</p>
      <TextField label="Name" required maxLength={200} value={name} onChange={setName} />
      <NumberField label="Credits per file" min={0} max={1_000_000} value={price} onChange={setPrice} />
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={batchMode} onChange={event => setBatchMode(event.target.checked)} />
        All files in one job
      </label>
      {anyTenant && (
        <TextField label="Tenant (empty: all tenants)" maxLength={128} value={tenant} onChange={setTenant} />
      )}
      <Refusal error={create.error} />
      <Button type="submit" look="primary" busy={create.isPending} className="justify-self-end">
        Create the template
      </Button>
    </form>
  )
}
