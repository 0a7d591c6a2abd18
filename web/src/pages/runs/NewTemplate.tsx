import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { Button } from '../../components/Button.tsx'
import { Refusal } from '../troubleshooting/Refusal.tsx'

/** The first thing a tenant needs. */
export const NewTemplate = ({ tenantId }: { readonly tenantId: string | undefined }) => {
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [price, setPrice] = useState(1)
  const [batchMode, setBatchMode] = useState(false)
  const create = useMutation({
    mutationFn: () =>
      api.createTemplate({
        body: {
          name: name.trim(),
          creditsPerRun: price,
          batchMode,
          ...(tenantId === undefined ? {} : { tenantId }),
        },
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['templates'] }),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    create.mutate()
  }
  return (
    <form onSubmit={submit} className="grid gap-4">
      <p className="text-muted">A run needs a template, and there is none yet. It says what a file costs.</p>
      <label className="grid gap-1 font-medium">
        Name
        <input className="field font-normal" required value={name} onChange={event => setName(event.target.value)} />
      </label>
      <label className="grid max-w-48 gap-1 font-medium">
        Credits a file
        <input
          type="number"
          min={0}
          required
          className="field font-normal"
          value={Number.isNaN(price) ? '' : price}
          onChange={event => setPrice(event.target.valueAsNumber)}
        />
      </label>
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={batchMode} onChange={event => setBatchMode(event.target.checked)} />
        All files in one job
      </label>
      <Refusal error={create.error} />
      <Button type="submit" look="primary" busy={create.isPending} className="justify-self-end">
        Make the template
      </Button>
    </form>
  )
}
