/**
 * An open connection: tabs with a shell each, files beside them, and what ends it.
 *
 * @module
 */
import { Bell, FolderOpen, Minus, Plus, Search, Unplug, X } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import type { SshConnection } from "../../../browser-ssh/connection.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { classes } from "../../components/class-names.ts";
import {
  inFront,
  NO_SHELLS,
  type ShellInTab,
  type ShellTabs,
  withBell,
  withoutShell,
  withShell,
  withTitle,
} from "../../terminal/shell-tabs.ts";
import type { Ending } from "../../terminal/terminal-session.ts";
import { EndedCard } from "./ended-card.tsx";

const ShellTab = lazy(() => import("./shell-tab.tsx").then((m) => ({ default: m.ShellTab })));
const FilesPanel = lazy(() => import("./files-panel.tsx").then((m) => ({ default: m.FilesPanel })));

const FONT_KEY = "qf-terminal-font";
const FONT = { least: 9, normal: 14, most: 28 };
const TABS_MAX = 16;

interface WorkbenchProps {
  readonly title: string;
  readonly connection: SshConnection;
  readonly banners: readonly string[];
  /** Null: it is open. */
  readonly ending: Ending | null;
  readonly isConnecting: boolean;
  onAgain(reason: string | null): void;
}

export function Workbench(props: WorkbenchProps) {
  const { title, connection, banners, ending, isConnecting, onAgain } = props;
  const tabs = useTabs(connection);
  const [fontSize, setFontSize] = useFontSize();
  const [hasFiles, setHasFiles] = useState(false);
  const [isSearching, setIsSearching] = useState(false);
  const current = tabs.list.find(({ id }) => id === tabs.current);
  const shown = current?.title === "" || current === undefined ? title : `${title}: ${current.title}`;
  useEffect(() => {
    document.title = `${shown} - QuFabric`;
  }, [shown]);
  return (
    <div className="flex h-[calc(100dvh-6rem)] min-h-80 flex-col gap-2">
      <Bar
        title={title}
        tabs={tabs}
        fontSize={fontSize}
        setFontSize={setFontSize}
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
        <div className="relative min-h-0 min-w-0 flex-1">
          <Suspense fallback={null}>
            {tabs.list.map((tab, index) => (
              <ShellTab
                key={tab.id}
                connection={tabs.connection}
                isShown={tab.id === tabs.current}
                fontSize={fontSize}
                isSearching={isSearching && tab.id === tabs.current}
                banners={index === 0 ? banners : []}
                ending={ending}
                onTitle={(text) => tabs.setTitle(tab.id, text)}
                onBell={() => tabs.rung(tab.id)}
                onEnd={() => tabs.ended(tab.id)}
              />
            ))}
          </Suspense>
        </div>
        {hasFiles ? (
          <Suspense fallback={null}>
            <FilesPanel connection={connection} isOver={ending !== null || isConnecting} />
          </Suspense>
        ) : null}
      </div>
    </div>
  );
}

interface BarProps {
  readonly title: string;
  readonly tabs: Tabs;
  readonly fontSize: number;
  setFontSize(pixels: number): void;
  readonly isSearching: boolean;
  setIsSearching(is: boolean): void;
  readonly hasFiles: boolean;
  setHasFiles(has: boolean): void;
  /** Null: there is nothing to disconnect. */
  readonly onDisconnect: (() => void) | null;
}

function Bar(props: BarProps) {
  const { title, tabs, fontSize, setFontSize, isSearching, setIsSearching } = props;
  const { hasFiles, setHasFiles, onDisconnect } = props;
  return (
    <div className="flex flex-wrap items-center gap-1">
      <h1 className="mr-3 truncate font-semibold text-base max-sm:sr-only">{title}</h1>
      <TabList tabs={tabs} isOver={onDisconnect === null} />
      <div className="ml-auto flex items-center gap-1">
        <IconButton label="Smaller text" onClick={() => setFontSize(fontSize - 1)}>
          <Minus size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label="Larger text" onClick={() => setFontSize(fontSize + 1)}>
          <Plus size={16} aria-hidden="true" />
        </IconButton>
        <IconButton
          label="Search in the terminal"
          aria-pressed={isSearching}
          onClick={() => setIsSearching(!isSearching)}
        >
          <Search size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label="Files" aria-pressed={hasFiles} onClick={() => setHasFiles(!hasFiles)}>
          <FolderOpen size={16} aria-hidden="true" />
        </IconButton>
        <Button size="small" onClick={() => onDisconnect?.()} disabled={onDisconnect === null}>
          <Unplug size={16} aria-hidden="true" />
          <span className="max-sm:sr-only">Disconnect</span>
        </Button>
      </div>
    </div>
  );
}

type Tabs = ReturnType<typeof useTabs>;

function useTabs(connection: SshConnection) {
  const [shown, setShown] = useState({ connection, tabs: withShell(NO_SHELLS) });
  // Several shells may end before the page is drawn again.
  const now = useRef(shown);
  const change = (tabs: ShellTabs): void => {
    now.current = { ...now.current, tabs };
    setShown(now.current);
  };
  useEffect(() => {
    if (now.current.connection === connection) return;
    // A new connection: a new shell, in the place of those that are over.
    now.current = { connection, tabs: withShell({ ...now.current.tabs, list: [] }) };
    setShown(now.current);
  }, [connection]);
  return {
    ...shown.tabs,
    /** The connection of these shells. */
    connection: shown.connection,
    show: (id: number) => change(inFront(now.current.tabs, id)),
    rung: (id: number) => change(withBell(now.current.tabs, id)),
    add: () => change(withShell(now.current.tabs)),
    remove: (id: number) => change(withoutShell(now.current.tabs, id)),
    setTitle: (id: number, title: string) => change(withTitle(now.current.tabs, id, title)),
    /** A shell has ended by itself. The last one ends the connection, and stays to be read. */
    ended: (id: number) => {
      if (now.current.tabs.list.length === 1) connection.close();
      else change(withoutShell(now.current.tabs, id));
    },
  };
}

function TabList({ tabs, isOver }: { readonly tabs: Tabs; readonly isOver: boolean }) {
  return (
    <>
      <ul aria-label="Shells" className="flex flex-wrap items-center gap-1">
        {tabs.list.map((tab, index) => (
          <li
            key={tab.id}
            className={classes(
              "inline-flex items-center rounded-md border",
              tab.id === tabs.current ? "border-accent bg-accent-ground" : "border-line bg-card",
            )}
          >
            <button
              type="button"
              aria-current={tab.id === tabs.current}
              onClick={() => tabs.show(tab.id)}
              className="flex min-h-8 max-w-40 items-center md:max-w-64 px-2.5 text-sm pointer-coarse:min-h-11"
            >
              <span className="truncate">{nameOf(tab, index, tabs.list.length)}</span>
              {tab.hasRung ? <RungMark /> : null}
            </button>
            {tabs.list.length === 1 ? null : (
              <button
                type="button"
                aria-label={`Close shell ${index + 1}`}
                onClick={() => tabs.remove(tab.id)}
                className="flex size-8 items-center justify-center pointer-coarse:size-11"
              >
                <X size={14} aria-hidden="true" />
              </button>
            )}
          </li>
        ))}
      </ul>
      <IconButton label="New shell" onClick={tabs.add} disabled={isOver || tabs.list.length >= TABS_MAX}>
        <Plus size={16} aria-hidden="true" />
      </IconButton>
    </>
  );
}

/** Shells of one machine often have the same title. */
function nameOf({ title }: ShellInTab, index: number, count: number): string {
  if (title === "") return `Shell ${index + 1}`;
  return count === 1 ? title : `${index + 1}: ${title}`;
}

function RungMark() {
  return (
    <>
      <Bell size={14} aria-hidden="true" className="ml-1.5 shrink-0 text-accent" />
      <span className="sr-only">, its bell rang</span>
    </>
  );
}

function useFontSize(): [number, (pixels: number) => void] {
  const [size, setSize] = useState(() => {
    try {
      return Number(localStorage.getItem(FONT_KEY)) || FONT.normal;
    } catch {
      return FONT.normal;
    }
  });
  const change = (pixels: number): void => {
    const within = Math.min(FONT.most, Math.max(FONT.least, pixels));
    setSize(within);
    try {
      localStorage.setItem(FONT_KEY, String(within));
    } catch {
      // It is for this visit only, then.
    }
  };
  return [size, change];
}
