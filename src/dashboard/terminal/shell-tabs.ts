/**
 * Tabs of one connection's shells: which exist, which is in front, and whose bell rang.
 *
 * @module
 */

export interface ShellInTab {
  readonly id: number;
  /** Title set by the program. Empty: it set none. */
  readonly title: string;
  /** Whether its bell rang while another tab was in front. */
  readonly hasRung: boolean;
}

export interface ShellTabs {
  /** Never empty: the last shell stays readable. */
  readonly list: readonly ShellInTab[];
  /** Id of the shell in front. */
  readonly current: number;
  readonly nextId: number;
}

export const NO_SHELLS: ShellTabs = { list: [], current: -1, nextId: 0 };

/** Adds a new shell, in front. */
export function withShell({ list, nextId }: ShellTabs): ShellTabs {
  const shell: ShellInTab = { id: nextId, title: "", hasRung: false };
  return { list: [...list, shell], current: nextId, nextId: nextId + 1 };
}

/** Removes a shell, unless it is the last. Its neighbour comes to the front. */
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

/** Marks a shell whose bell rang, unless it is in front. */
export function withBell(tabs: ShellTabs, id: number): ShellTabs {
  return id === tabs.current ? tabs : changed(tabs, id, { hasRung: true });
}

/** Returns the same object when nothing changes, since a machine may ring endlessly. */
function changed(tabs: ShellTabs, id: number, change: Partial<ShellInTab>): ShellTabs {
  const shell = tabs.list.find((one) => one.id === id);
  if (shell === undefined) return tabs;
  const next = { ...shell, ...change };
  if (next.title === shell.title && next.hasRung === shell.hasRung) return tabs;
  return { ...tabs, list: tabs.list.map((one) => (one.id === id ? next : one)) };
}
