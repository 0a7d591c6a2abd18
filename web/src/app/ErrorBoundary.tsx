import { Component, type ReactNode } from 'react'
import { Button } from '../components/Button.tsx'
import { ErrorDisplay } from '../components/ErrorDisplay.tsx'

interface State {
  readonly error: Error | null
}

/** A page that fails does not take down the rest of the console. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: null }
  static getDerivedStateFromError(error: Error): State {
    return { error }
  }
  override render(): ReactNode {
    const { error } = this.state
    if (error === null) return this.props.children
    return (
      <div className="grid gap-3">
        <ErrorDisplay
          message={`This page failed: ${error.message}. What to do: try again; if it fails again, report it to the people who run this service.`}
        />
        <Button className="justify-self-start" onClick={() => this.setState({ error: null })}>
          Try again
        </Button>
      </div>
    )
  }
}
