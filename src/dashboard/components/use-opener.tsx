/**
 * Returns the focus to the element that opened a dialog once it is closed. Radix does so only for its own
 * triggers.
 *
 * @module
 */
import { useRef } from "react";

/**
 * Returns the `onCloseAutoFocus` handler of what is `open`. If the opener is gone, such as with its row, the
 * page's main part gets the focus.
 */
export function useOpener(open: boolean): (event: Event) => void {
  const opener = useRef<Element | null>(null);
  const wasOpen = useRef(false);
  // Read during rendering, because a field in the dialog may take the focus before any effect runs.
  if (open && !wasOpen.current) opener.current = openerOf(document.activeElement);
  wasOpen.current = open;
  return (event) => {
    event.preventDefault();
    const known = opener.current?.isConnected === true ? opener.current : document.getElementById("main");
    if (known instanceof HTMLElement) known.focus();
  };
}

/** A menu item is gone when its menu closes, so the menu's button counts as the opener. */
function openerOf(active: Element | null): Element | null {
  const label = active?.closest("[role=menu]")?.getAttribute("aria-labelledby") ?? "";
  return document.getElementById(label) ?? active;
}
