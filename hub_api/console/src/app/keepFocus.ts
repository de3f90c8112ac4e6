/**
 * A dialog keeps the keyboard: when what had the focus in it is gone (a row that was taken, a list read anew), the dialog itself
 * gets it, so that Escape and Tab go on from there.
 *
 * MUI's trap means to do this, but gives the focus to the box around the dialog's paper, which takes none (its paper alone has a
 * tabindex). Making the box focusable would be wrong for who listens: its role is `presentation`.
 */
export function startKeepingFocus(): () => void {
  const look = () => {
    if (document.activeElement !== document.body) return
    const open = document.querySelectorAll<HTMLElement>('[role="dialog"][aria-modal="true"]')
    open[open.length - 1]?.focus()
  }
  const watching = new MutationObserver(look)
  watching.observe(document.body, { childList: true, subtree: true })
  return () => watching.disconnect()
}
