import { type FormEvent, useState } from 'react'
import { usePermissions } from '../../api/session.ts'
import { useSearch } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { useView, Views } from '../../components/lists/Views.tsx'
import { Page } from '../../components/Page.tsx'
import { Empty } from '../../components/states.tsx'
import { CausalView } from './CausalView.tsx'
import { ParkedThenList } from './ParkedThenList.tsx'
import { ProofPanel } from './ProofPanel.tsx'

const views = [
  ['cause', 'What caused what'],
  ['then', 'Troubleshooting at a moment'],
  ['proof', 'Proof'],
] as const

const SearchForm = () => {
  const search = useSearch()
  const given = search.get('correlationId') ?? ''
  const [text, setText] = useState(given)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    search.set({ correlationId: text.trim() })
  }
  return (
    <form onSubmit={submit} className="card flex flex-wrap items-end gap-3 p-3">
      <label className="grid min-w-0 flex-1 basis-64 gap-1 text-xs text-muted">
        Correlation id
        <input className="field" value={text} onChange={event => setText(event.target.value)} autoComplete="off" />
      </label>
      <Button type="submit" look="primary">
        Show
      </Button>
    </form>
  )
}

/** For investigators: what led to what, what was there at a moment, and whether the log is unchanged. */
export const AuditPage = () => {
  const search = useSearch()
  const may = usePermissions()
  const view = useView(views)
  const correlationId = search.get('correlationId')
  if (!may('audit')) {
    return (
      <Page title="Audit">
        <div className="card">
          <Empty title="The audit is for auditors and operators">
            <p>Your token has neither role. Ask the people who issue tokens.</p>
          </Empty>
        </div>
      </Page>
    )
  }
  return (
    <Page title="Audit" intro="Every change is recorded in a tamper-evident log.">
      <Views views={views} path="/audit" />
      {view === 'cause' && (
        <>
          <SearchForm key={correlationId} />
          {correlationId === undefined ? (
            <div className="card">
              <Empty title="Enter a correlation id">
                <p>
                  Commands that belong together share a correlation id. Paste one, or come here from a command's facts.
                </p>
              </Empty>
            </div>
          ) : (
            <CausalView correlationId={correlationId} />
          )}
        </>
      )}
      {view === 'then' && <ParkedThenList />}
      {view === 'proof' && <ProofPanel />}
    </Page>
  )
}
