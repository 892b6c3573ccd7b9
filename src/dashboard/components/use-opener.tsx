/**
 * Focus given back: what opened a dialog has it again once that is closed. Radix does so only for triggers of
 * its own.
 *
 * @module
 */
import { useRef } from "react";

/** For `onCloseAutoFocus` of what is `open`. Where the opener is gone, as with its row, the page gets it. */
export function useOpener(open: boolean): (event: Event) => void {
  const opener = useRef<Element | null>(null);
  const wasOpen = useRef(false);
  // While it is drawn, since a field in it may take the focus by itself before any effect runs.
  if (open && !wasOpen.current) opener.current = openerOf(document.activeElement);
  wasOpen.current = open;
  return (event) => {
    event.preventDefault();
    const known = opener.current?.isConnected === true ? opener.current : document.getElementById("main");
    if (known instanceof HTMLElement) known.focus();
  };
}

/** Entries of a menu are gone with it: its button has opened the dialog. */
function openerOf(active: Element | null): Element | null {
  const label = active?.closest("[role=menu]")?.getAttribute("aria-labelledby") ?? "";
  return document.getElementById(label) ?? active;
}
