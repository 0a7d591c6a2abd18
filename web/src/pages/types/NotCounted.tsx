import { duration } from '../../components/Time.tsx'

const LATE_SECONDS = 60

/** Says when figures are not complete. */
export const NotCounted = ({ behindSeconds }: { readonly behindSeconds: number | null }) => {
  if (behindSeconds !== null && behindSeconds < LATE_SECONDS) return null
  return (
    <p role="status" className="m-2 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
      {behindSeconds === null
        ? 'No process counts figures: start the service, or call bus.figures.count() in one of your processes.'
        : `The figures are ${duration(behindSeconds)} behind.`}
    </p>
  )
}
