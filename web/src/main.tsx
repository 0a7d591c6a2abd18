import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { startSession } from './api/session.ts'
import { App } from './app/App.tsx'
import { startTheme } from './app/theme.ts'
import './styles.css'

startTheme()
startSession()
// a link that is opened in a tab of the console changes only the end of its address
window.addEventListener('hashchange', startSession)

const root = document.getElementById('root')
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
