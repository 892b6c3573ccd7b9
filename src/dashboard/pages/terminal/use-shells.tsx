/**
 * The shells of an open connection: the tabs, the one in front, and what happens when one ends.
 *
 * @module
 */
import { useEffect, useRef, useState } from "react";
import type { SshConnection } from "../../../browser-ssh/connection.ts";
import {
  inFront,
  NO_SHELLS,
  type ShellTabs,
  withBell,
  withoutShell,
  withShell,
  withTitle,
} from "../../terminal/shell-tabs.ts";

export type Shells = ReturnType<typeof useShells>;

export function useShells(connection: SshConnection) {
  const [shown, setShown] = useState({ connection, tabs: withShell(NO_SHELLS) });
  // Several shells may end before the page is rendered again.
  const now = useRef(shown);
  const change = (tabs: ShellTabs): void => {
    now.current = { ...now.current, tabs };
    setShown(now.current);
  };
  useEffect(() => {
    if (now.current.connection === connection) return;
    // On a new connection each tab gets a new shell, in its old screen.
    now.current = { ...now.current, connection };
    setShown(now.current);
  }, [connection]);
  return {
    ...shown.tabs,
    /** The connection that the shells run on. */
    connection: shown.connection,
    show: (id: number) => change(inFront(now.current.tabs, id)),
    rung: (id: number) => change(withBell(now.current.tabs, id)),
    add: () => change(withShell(now.current.tabs)),
    remove: (id: number) => change(withoutShell(now.current.tabs, id)),
    setTitle: (id: number, title: string) => change(withTitle(now.current.tabs, id, title)),
    /** Called when a shell ends by itself. The last one closes the connection and stays to be read. */
    ended: (id: number) => {
      if (now.current.tabs.list.length === 1) connection.close();
      else change(withoutShell(now.current.tabs, id));
    },
  };
}
