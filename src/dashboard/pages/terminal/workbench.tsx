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
  const texts = useRef(new Map<number, () => string>());
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
    const text = texts.current.get(tabs.current)?.();
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
          {...{ tabs, look, banners, ending, texts, onAgain }}
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
  /** Functions that read the text of each shell, by tab id. */
  readonly texts: RefObject<Map<number, () => string>>;
  onAction(action: Exclude<ScreenAction, "copy">): void;
}

function ShellArea(props: ShellAreaProps) {
  const { tabs, look, banners, ending, isSearching, texts, onAction, onAgain } = props;
  return (
    <div className="relative min-h-0 min-w-0 flex-1">
      <Suspense fallback={null}>
        {tabs.list.map((tab, index) => (
          <ShellTab
            key={tab.id}
            connection={tabs.connection}
            isShown={tab.id === tabs.current}
            fontSize={look.fontSize}
            isRead={look.isRead}
            isSearching={isSearching && tab.id === tabs.current}
            banners={index === 0 ? banners : []}
            ending={ending}
            onTitle={(text) => tabs.setTitle(tab.id, text)}
            onBell={() => tabs.rung(tab.id)}
            onEnd={() => tabs.ended(tab.id)}
            onAction={onAction}
            onAgain={() => onAgain(null)}
            keepText={(read) => {
              if (read === null) texts.current.delete(tab.id);
              else texts.current.set(tab.id, read);
            }}
          />
        ))}
      </Suspense>
    </div>
  );
}
