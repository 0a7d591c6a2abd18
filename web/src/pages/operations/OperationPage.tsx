import { useQuery } from '@tanstack/react-query'
import { statusOf } from '../../api/problem.ts'
import { operationQuery } from '../../api/queries.ts'
import { NotFound } from '../../components/NotFound.tsx'
import { Page } from '../../components/Page.tsx'
import { Answered } from '../../components/states.tsx'
import { OperationView } from './OperationView.tsx'
import { OperationBadge, typeWords } from './words.tsx'

export const OperationPage = ({ id }: { readonly id: string }) => {
  const operation = useQuery(operationQuery(id))
  const found = operation.data
  if (statusOf(operation.error) === 404 || statusOf(operation.error) === 403) {
    return (
      <NotFound
        title="Operation not found"
        why="There is no such operation, or it belongs to somebody else"
        href="/operations"
        instead="To your operations"
      />
    )
  }
  return (
    <Page
      title={found ? typeWords(found.operation_type) : 'Operation'}
      aside={found && <OperationBadge status={found.status} />}
    >
      <Answered query={operation} what="the operation">
        {operation => <OperationView operation={operation} />}
      </Answered>
    </Page>
  )
}
