import { render, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { Fragment } from 'react'
import { describe, expect, test } from 'vitest'
import { ErrorDisplay } from '../../../web/src/components/ErrorDisplay.tsx'
import { Json } from '../../../web/src/components/Json.tsx'
import { Page } from '../../../web/src/components/Page.tsx'
import { ActionBar } from '../../../web/src/pages/troubleshooting/acting/ActionBar.tsx'
import { answering, asked, show } from './support.tsx'

const nasty = 'a\u202eb\u200bc\u2066d\u001b[2J\u009b'
const written = 'a\\u202Eb\\u200Bc\\u2066d\\u001B[2J\\u009B'
/** What no page should have. */
const HIDDEN = /(?!\n)\p{Cc}|[\u200b\u202e\u2066]/u

describe('hidden characters of a text are written out', () => {
  test("in every element, in titles and labels, also in the window's title", () => {
    const { container } = render(
      <Page title={nasty} intro={nasty}>
        <p title={nasty}>{nasty}</p>
        <ul aria-label={nasty}>{[nasty, nasty].map(text => [text, ' '])}</ul>
        <Fragment key="kept">
          {nasty}
          {1}
        </Fragment>
        <ErrorDisplay message={`${nasty} What to do: ${nasty}`} />
      </Page>,
    )
    expect(container.innerHTML).not.toMatch(HIDDEN)
    expect(container.textContent?.split(written)).toHaveLength(9)
    expect(document.title).toBe(`${written} · commandbus`)
  })

  test('in JSON, which keeps its value', () => {
    render(<Json value={{ [nasty]: nasty }} label="Payload" />)
    const shown = screen.getByRole('group', { name: 'Payload' }).textContent ?? ''
    expect(shown).not.toMatch(HIDDEN)
    expect(JSON.parse(shown)).toEqual({ [nasty]: nasty })
  })

  test('in an edited payload; unchanged parts are sent back exactly', async () => {
    answering(({ method }) => (method === 'POST' ? [200, { status: 'PENDING' }] : undefined))
    const commandId = '00000000-0000-4000-8000-000000000001'
    const command = { domain: 'payments', commandId, commandType: 'Charge', payload: { note: nasty, amount: 5 } }
    show(<ActionBar target={{ kind: 'one', command }} />)
    await userEvent.click(screen.getByRole('button', { name: 'Edit and retry' }))
    const dialog = within(screen.getByRole('dialog'))
    const box = dialog.getByRole('textbox') as HTMLTextAreaElement
    expect(box.value).not.toMatch(HIDDEN)
    expect(dialog.getByText(/^Not changed/)).not.toBe(null)
    const edited = box.value.replace('5', '6')
    await userEvent.clear(box)
    await userEvent.click(box)
    await userEvent.paste(edited)
    await userEvent.click(dialog.getByRole('button', { name: 'Retry with this payload' }))
    expect(asked().map(({ body }) => body)).toContainEqual({ data: { note: nasty, amount: 6 } })
  })
})
