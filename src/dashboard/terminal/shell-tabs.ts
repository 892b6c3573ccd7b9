/**
 * The shells of one connection as tabs: which there are, which is in front, whose bell rang.
 *
 * @module
 */

export interface ShellInTab {
  readonly id: number;
  /** By the program there. Empty: it gave none. */
  readonly title: string;
  /** Its bell rang while another was in front. */
  readonly hasRung: boolean;
}

export interface ShellTabs {
  /** Never empty: the last shell stays to be read. */
  readonly list: readonly ShellInTab[];
  /** The one in front. */
  readonly current: number;
  readonly nextId: number;
}

export const NO_SHELLS: ShellTabs = { list: [], current: -1, nextId: 0 };

/** A new shell, in front. */
export function withShell({ list, nextId }: ShellTabs): ShellTabs {
  const shell: ShellInTab = { id: nextId, title: "", hasRung: false };
  return { list: [...list, shell], current: nextId, nextId: nextId + 1 };
}

/** Without a shell, unless it is the last. The one beside it comes in front. */
export function withoutShell(tabs: ShellTabs, id: number): ShellTabs {
  const at = tabs.list.findIndex((shell) => shell.id === id);
  if (at < 0 || tabs.list.length === 1) return tabs;
  const list = tabs.list.filter((shell) => shell.id !== id);
  if (tabs.current !== id) return { ...tabs, list };
  return inFront({ ...tabs, list }, list[Math.min(at, list.length - 1)]?.id ?? -1);
}

export function inFront(tabs: ShellTabs, id: number): ShellTabs {
  return changed({ ...tabs, current: id }, id, { hasRung: false });
}

export function withTitle(tabs: ShellTabs, id: number, title: string): ShellTabs {
  return changed(tabs, id, { title });
}

/** The bell of the shell in front needs no mark. */
export function withBell(tabs: ShellTabs, id: number): ShellTabs {
  return id === tabs.current ? tabs : changed(tabs, id, { hasRung: true });
}

/** The very same tabs where nothing changes: a machine may ring without end. */
function changed(tabs: ShellTabs, id: number, change: Partial<ShellInTab>): ShellTabs {
  const shell = tabs.list.find((one) => one.id === id);
  if (shell === undefined) return tabs;
  const next = { ...shell, ...change };
  if (next.title === shell.title && next.hasRung === shell.hasRung) return tabs;
  return { ...tabs, list: tabs.list.map((one) => (one.id === id ? next : one)) };
}
