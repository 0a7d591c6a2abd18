import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'react-hot-toast/headless'
import { api, type Template } from '../../api/client.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'

/** Asks before a template is archived. */
export const ArchiveDialog = ({ template, onClose }: { readonly template: Template; readonly onClose: () => void }) => {
  const queries = useQueryClient()
  const archive = useMutation({
    mutationFn: () => api.archiveTemplate({ params: { id: template.id } }),
    onSuccess: () => {
      toast.success(`The template ${template.name} is archived`)
      onClose()
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ['templates'] }),
  })
  return (
    <Dialog title="Archive this template" onClose={onClose}>
      <p>
        No new run can use <strong className="font-medium wrap-anywhere">{template.name}</strong>
        {template.tenantId === null && ', of any tenant'}. Existing runs go on, and can be continued. The template stays
        in the list. This cannot be undone: create a new one instead.
      </p>
      <Refusal error={archive.error} />
      <DialogButtons>
        <Button onClick={onClose}>Close</Button>
        <Button look="danger" busy={archive.isPending} onClick={() => archive.mutate()}>
          Archive it
        </Button>
      </DialogButtons>
    </Dialog>
  )
}
