/**
 * An open connection: a tab per shell, the files panel, and a notice when it ends.
 *
 * @module
 */
import { lazy, type RefObject, Suspense, useEffect, useRef, useState } from "react";
import type { SshConnection } from "../../../browser-ssh/connection.ts";
import { saveFile } from "../../browser/save-file.ts";
import type { ScreenAction } from "../../terminal/own-keys.ts";
import type { Ending } from "../../terminal/terminal-session.ts";
import { EndedCard } from "./ended-card.tsx";
import type { ScreenHandle } from "./shell-tab.tsx";
import { TerminalBar } from "./terminal-bar.tsx";
import { type Shells, useShells } from "./use-shells.tsx";
import { type TerminalLook, useTerminalLook } from "./use-terminal-look.tsx";

const ShellTab = lazy(() => import("./shell-tab.tsx").then((m) => ({ default: m.ShellTab })));
const FilesPanel = lazy(() => import("./files-panel.tsx").then((m) => ({ default: m.FilesPanel })));

interface WorkbenchProps {
  readonly title: string;
  readonly connection: SshConnection;
  readonly banners: readonly string[];
  /** Null while the connection is open. */
  readonly ending: Ending | null;
  readonly isConnecting: boolean;
  onAgain(reason: string | null): void;
}

export function Workbench(props: WorkbenchProps) {
  const { title, connection, banners, ending, isConnecting, onAgain } = props;
  const tabs = useShells(connection);
  const look = useTerminalLook();
  const bar = useRef<HTMLDivElement>(null);
  const screens = useRef(new Map<number, ScreenHandle>());
  const [hasFiles, setHasFiles] = useState(false);
  const [isSearching, setIsSearching] = useState(false);
  const current = tabs.list.find(({ id }) => id === tabs.current);
  const shown = current?.title === "" || current === undefined ? title : `${title}: ${current.title}`;
  useEffect(() => {
    document.title = `${shown} - QuFabric`;
  }, [shown]);
  const act = (action: Exclude<ScreenAction, "copy">): void => {
    if (action === "search") setIsSearching(true);
    else if (action === "leave") bar.current?.querySelector("button")?.focus();
    else if (action === "normal") look.setFontSize(null);
    else look.setFontSize(look.fontSize + (action === "larger" ? 1 : -1));
  };
  const save = (): void => {
    const text = screens.current.get(tabs.current)?.text();
    if (text !== undefined) saveFile(`${title}.txt`, text, "application/octet-stream");
  };
  return (
    <div className="flex h-[calc(100dvh-6rem)] min-h-80 flex-col gap-2">
      <TerminalBar
        ref={bar}
        title={title}
        tabs={tabs}
        look={look}
        onSave={save}
        screen={() => screens.current.get(tabs.current)}
        isSearching={isSearching}
        setIsSearching={setIsSearching}
        hasFiles={hasFiles}
        setHasFiles={setHasFiles}
        onDisconnect={ending !== null || isConnecting ? null : () => connection.close()}
      />
      {ending === null ? null : <EndedCard ending={ending} onAgain={onAgain} />}
      {isConnecting ? (
        <p role="status" className="text-soft">
          Connecting…
        </p>
      ) : null}
      <div className="flex min-h-0 flex-1 gap-2 max-md:flex-col">
        <ShellArea
          {...{ tabs, look, banners, ending, screens, onAgain }}
          isSearching={isSearching}
          onAction={act}
        />
        {hasFiles ? (
          <Suspense fallback={null}>
            <FilesPanel connection={connection} isOver={ending !== null || isConnecting} />
          </Suspense>
        ) : null}
      </div>
    </div>
  );
}

interface ShellAreaProps extends Pick<WorkbenchProps, "banners" | "ending" | "onAgain"> {
  readonly tabs: Shells;
  readonly look: TerminalLook;
  readonly isSearching: boolean;
  /** The screen of each shell, by tab id. */
  readonly screens: RefObject<Map<number, ScreenHandle>>;
  onAction(action: Exclude<ScreenAction, "copy">): void;
}

function ShellArea(props: ShellAreaProps) {
  const { tabs, look, banners, ending, isSearching, screens, onAction, onAgain } = props;
  return (
    <div className="relative min-h-0 min-w-0 flex-1">
      <Suspense fallback={null}>
        {tabs.list.map((tab, index) => (
          <ShellTab
            key={tab.id}
            connection={tabs.connection}
            isShown={tab.id === tabs.current}
            look={look}
            isSearching={isSearching && tab.id === tabs.current}
            banners={index === 0 ? banners : []}
            ending={ending}
            onTitle={(text) => tabs.setTitle(tab.id, text)}
            onBell={() => tabs.rung(tab.id)}
            onEnd={() => tabs.ended(tab.id)}
            onAction={onAction}
            onAgain={() => onAgain(null)}
            keepScreen={(screen) => {
              if (screen === null) screens.current.delete(tab.id);
              else screens.current.set(tab.id, screen);
            }}
          />
        ))}
      </Suspense>
    </div>
  );
}
