import { act, fireEvent, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import { FilterBar, SelectFilter, TextFilter } from '../../../web/src/components/lists/Filters.tsx'
import { type Column, Table } from '../../../web/src/components/lists/Table.tsx'
import { CommandsPage } from '../../../web/src/pages/commands/CommandsPage.tsx'
import { TroubleshootingPage } from '../../../web/src/pages/troubleshooting/TroubleshootingPage.tsx'
import { answering, asked, problem, show } from './support.tsx'

interface Row {
  readonly id: string
  readonly text?: string
}

const columns: readonly Column<Row>[] = [
  { title: 'Id', cell: ({ id, text = '' }) => <a href="#x">{`${id}${text}`}</a> },
]
const table = (rows: readonly Row[], loading = false) => (
  <Table label="Rows" columns={columns} rows={rows} keyOf={({ id }) => id} loading={loading} />
)
const shown = (): readonly string[] => screen.getAllByRole('link').map(({ textContent }) => textContent ?? '')
const hold = () => fireEvent.pointerEnter(screen.getByRole('table').closest('.relative') as Element)
const leave = () => fireEvent.pointerLeave(screen.getByRole('table').closest('.relative') as Element)

describe('while the pointer is among the rows', () => {
  test('new rows are held back and counted, those that are there show what is new, and a click shows all', async () => {
    const { again } = show(table([{ id: 'a' }, { id: 'b' }]))
    hold()
    again(table([{ id: 'd' }, { id: 'c' }, { id: 'a', text: ' done' }]))
    expect(shown()).toEqual(['a done', 'b'])
    await userEvent.click(screen.getByRole('button', { name: '2 new, 1 gone, show' }))
    expect(shown()).toEqual(['d', 'c', 'a done'])
    again(table([{ id: 'e' }, { id: 'd' }, { id: 'c' }]))
    expect(shown()).toEqual(['d', 'c', 'a done'])
    leave()
    expect(shown()).toEqual(['e', 'd', 'c'])
  })

  test('another filter or page shows its rows at once', () => {
    const { again } = show(table([{ id: 'a' }]))
    hold()
    act(() => {
      history.replaceState(null, '', '/?cursor=next')
      window.dispatchEvent(new Event('popstate'))
    })
    again(table([{ id: 'a' }], true))
    again(table([{ id: 'z' }]))
    expect(shown()).toEqual(['z'])
  })
})

test('while a row has the focus the rows keep their places, and no longer', async () => {
  const { again } = show(table([{ id: 'a' }]))
  act(() => screen.getByRole('link').focus())
  again(table([{ id: 'b' }, { id: 'a' }]))
  expect(shown()).toEqual(['a'])
  act(() => (document.activeElement as HTMLElement).blur())
  expect(shown()).toEqual(['b', 'a'])
})

describe('filters', () => {
  const bar = (
    <FilterBar names={['status', 'tenant']} more>
      <SelectFilter name="status" label="Status" options={[['a', 'First']]} />
      <TextFilter rare name="tenant" label="Tenant" />
    </FilterBar>
  )

  test('that are seldom used are shown when they are asked for, or filter', async () => {
    show(bar)
    expect(screen.queryByLabelText('Tenant')).toBeNull()
    await userEvent.click(screen.getByRole('button', { name: 'More filters' }))
    await userEvent.type(screen.getByLabelText('Tenant'), 't1')
    await screen.findByRole('button', { name: 'Remove this filter' })
    await userEvent.click(screen.getByRole('button', { name: 'Fewer filters' }))
    expect(screen.getByLabelText<HTMLInputElement>('Tenant').value).toBe('t1')
    expect(location.search).toBe('?tenant=t1')
  })

  test('are taken away one by one, or all together', async () => {
    history.replaceState(null, '', '/?status=a&tenant=t1&view=list')
    show(bar)
    const [first] = screen.getAllByRole('button', { name: 'Remove this filter' })
    await userEvent.click(first as HTMLElement)
    expect(location.search).toBe('?tenant=t1&view=list')
    await userEvent.click(screen.getByRole('button', { name: 'Clear filters' }))
    expect(location.search).toBe('?view=list')
  })
})

describe('an address that the server refuses', () => {
  const refusing = (path: string) =>
    answering(({ path: asked }) =>
      asked.startsWith('/stats')
        ? undefined
        : problem(400, 'INVALID_REQUEST', `${path}: expected something`, [{ path, message: 'expected something' }]),
    )

  test('says which filter does not exist, and clears the filters', async () => {
    history.replaceState(null, '', '/commands?status=BOGUS&domain=shop')
    refusing('status')
    show(<CommandsPage />)
    expect((await screen.findByRole('alert')).textContent).toContain('The filter “status” cannot be “BOGUS”.')
    expect(asked().some(({ path }) => path.includes('status=BOGUS'))).toBe(true)
    expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
    const buttons = screen.getAllByRole('button', { name: 'Clear filters' })
    await userEvent.click(buttons.at(-1) as HTMLElement)
    expect(location.pathname + location.search).toBe('/commands')
  })

  test('says so of a time and of what is neither true nor false, and stays in the view', async () => {
    history.replaceState(null, '', '/troubleshooting?view=list&snoozed=perhaps')
    refusing('snoozed')
    show(<TroubleshootingPage />)
    const alert = await screen.findByRole('alert')
    expect(alert.textContent).toContain('The filter “snoozed” cannot be “perhaps”.')
    expect(asked().some(({ path }) => path.includes('snoozed=perhaps'))).toBe(true)
    await userEvent.click(screen.getAllByRole('button', { name: 'Clear filters' }).at(-1) as HTMLElement)
    expect(location.search).toBe('?view=list')
  })

  test('of a page that does not exist leads to the first one, with the same filters', async () => {
    history.replaceState(null, '', '/commands?domain=shop&cursor=xxx')
    refusing('cursor')
    show(<CommandsPage />)
    expect((await screen.findByRole('alert')).textContent).toContain('a page that this list does not have')
    await userEvent.click(screen.getByRole('button', { name: 'First page' }))
    expect(location.search).toBe('?domain=shop')
  })
})
