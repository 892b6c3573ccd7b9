/**
 * The bar above a terminal: its shells, text size, search, files, and disconnecting.
 *
 * @module
 */
import { AArrowDown, AArrowUp, Bell, Ellipsis, FolderOpen, Plus, Search, Unplug, X } from "lucide-react";
import { type Ref, useRef, useState } from "react";
import { enterFullScreen } from "../../browser/full-screen.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { classes } from "../../components/class-names.ts";
import { Menu } from "../../components/menu.tsx";
import { HELD_KEYS } from "../../terminal/own-keys.ts";
import type { ShellInTab } from "../../terminal/shell-tabs.ts";
import { KeysDialog } from "./keys-dialog.tsx";
import { SettingsDialog } from "./settings-dialog.tsx";
import type { ScreenHandle } from "./shell-tab.tsx";
import type { Shells } from "./use-shells.tsx";
import type { TerminalLook } from "./use-terminal-look.tsx";

const TABS_MAX = 16;

interface TerminalBarProps {
  readonly ref: Ref<HTMLDivElement>;
  readonly title: string;
  readonly tabs: Shells;
  readonly look: TerminalLook;
  /** Saves the text of the shell in front. */
  onSave(): void;
  /** The screen of the shell in front. */
  screen(): ScreenHandle | undefined;
  readonly isSearching: boolean;
  setIsSearching(is: boolean): void;
  readonly hasFiles: boolean;
  setHasFiles(has: boolean): void;
  /** Null if there is nothing to disconnect. */
  readonly onDisconnect: (() => void) | null;
}

export function TerminalBar(props: TerminalBarProps) {
  const { ref, title, tabs, look, onSave, screen, isSearching, setIsSearching } = props;
  const { hasFiles, setHasFiles, onDisconnect } = props;
  const [shown, setShown] = useState<"keys" | "settings" | null>(null);
  const { send, onClosed } = useSending(screen);
  return (
    <div ref={ref} className="flex flex-wrap items-center gap-1">
      <h1 className="mr-3 truncate font-semibold text-base max-sm:sr-only">{title}</h1>
      <TabList tabs={tabs} isOver={onDisconnect === null} />
      <div className="ml-auto flex items-center gap-1">
        <IconButton label="Smaller text" onClick={() => look.setFontSize(look.fontSize - 1)}>
          <AArrowDown size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label="Larger text" onClick={() => look.setFontSize(look.fontSize + 1)}>
          <AArrowUp size={16} aria-hidden="true" />
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
        <Menu
          trigger={
            <IconButton label="More of the terminal">
              <Ellipsis size={16} aria-hidden="true" />
            </IconButton>
          }
          actions={[
            ...HELD_KEYS.map(([name, sent]) => ({ label: `Send ${name}`, onSelect: () => send(sent) })),
            null,
            { label: "Keys…", onSelect: () => setShown("keys") },
            { label: "Settings…", onSelect: () => setShown("settings") },
            { label: "Full screen", onSelect: () => void enterFullScreen() },
            { label: "Save as text", onSelect: onSave },
          ]}
          onClosed={onClosed}
        />
        <Button size="small" onClick={() => onDisconnect?.()} disabled={onDisconnect === null}>
          <Unplug size={16} aria-hidden="true" />
          <span className="max-sm:sr-only">Disconnect</span>
        </Button>
      </div>
      <KeysDialog open={shown === "keys"} onClose={() => setShown(null)} />
      <SettingsDialog open={shown === "settings"} onClose={() => setShown(null)} look={look} />
    </div>
  );
}

/** Sends keys from the menu. The ones typed after that go to the machine as well. */
function useSending(screen: () => ScreenHandle | undefined) {
  const hasSent = useRef(false);
  return {
    send(key: string): void {
      hasSent.current = true;
      screen()?.type(key);
    },
    onClosed(event: Event): void {
      if (hasSent.current) event.preventDefault();
      if (hasSent.current) screen()?.focus();
      hasSent.current = false;
    },
  };
}

function TabList({ tabs, isOver }: { readonly tabs: Shells; readonly isOver: boolean }) {
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

/** The title of a tab. Tabs are numbered, because shells on one machine often have the same title. */
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
