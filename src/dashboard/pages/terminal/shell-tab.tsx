/**
 * A shell: its screen, the search in it, keys for phones, and what the person is asked before a link opens
 * or lines are pasted.
 *
 * @module
 */
import { useEffect, useRef, useState } from "react";
import type { Bytes } from "../../../browser-ssh/bytes.ts";
import type { SshConnection } from "../../../browser-ssh/connection.ts";
import { SshFailure } from "../../../browser-ssh/failure.ts";
import { type Session, startSession } from "../../../browser-ssh/session.ts";
import { classes } from "../../components/class-names.ts";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { openScreen, type Screen } from "../../terminal/screen.ts";
import type { Ending } from "../../terminal/terminal-session.ts";
import { KeyBar } from "./key-bar.tsx";
import { SearchBar } from "./search-bar.tsx";

interface ShellTabProps {
  readonly connection: SshConnection;
  readonly isShown: boolean;
  readonly fontSize: number;
  readonly isSearching: boolean;
  readonly banners: readonly string[];
  readonly ending: Ending | null;
  onTitle(title: string): void;
  onEnd(): void;
}

type Asked = { readonly link: string } | { readonly paste: string } | null;

export function ShellTab(props: ShellTabProps) {
  const { connection, isShown, fontSize, isSearching, ending } = props;
  const element = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen | null>(null);
  const [asked, setAsked] = useState<Asked>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    if (element.current === null) return;
    const shell = openShell(element.current, latest, setAsked, connection);
    screen.current = shell.screen;
    return () => shell.close();
  }, [connection]);
  useEffect(() => screen.current?.setFontSize(fontSize), [fontSize]);
  useEffect(() => {
    if (isShown) screen.current?.fit();
    if (isShown) screen.current?.focus();
  }, [isShown]);
  useEffect(() => {
    if (ending !== null) screen.current?.say(ending.message);
  }, [ending]);
  return (
    <div className={classes("absolute inset-0 flex-col gap-2", isShown ? "flex" : "hidden")}>
      {isSearching ? (
        <SearchBar find={(text, isBackward) => screen.current?.find(text, isBackward) ?? false} />
      ) : null}
      <div className="min-h-0 flex-1 rounded-md border border-line bg-sunken p-2">
        <div ref={element} data-terminal className="size-full overflow-hidden" />
      </div>
      <KeyBar
        onKey={(text) => {
          screen.current?.type(text);
          screen.current?.focus();
        }}
      />
      <Question asked={asked} onDone={() => setAsked(null)} paste={(text) => screen.current?.paste(text)} />
    </div>
  );
}

function openShell(
  element: HTMLElement,
  latest: { readonly current: ShellTabProps },
  ask: (asked: Asked) => void,
  connection: SshConnection,
): { readonly screen: Screen; close(): void } {
  let session: Session | null = null;
  let isClosed = false;
  /** Typed before the shell was there. */
  const early: Bytes[] = [];
  const screen = openScreen(element, latest.current.fontSize, {
    onInput: (bytes) => {
      if (session === null) early.push(bytes);
      else session.write(bytes).catch(() => {});
    },
    onEscape: () => connection.close(),
    onResize: (size) => session?.resize(size),
    onTitle: (title) => latest.current.onTitle(title),
    onLink: (link) => ask({ link }),
    onPaste: (paste) => ask({ paste }),
  });
  for (const text of latest.current.banners) screen.say(text.trim());
  startSession(connection, {
    ...{ terminal: screen.size, run: { shell: true }, environment: { LANG: "C.UTF-8" } },
    onData: (bytes, _isError, used) => screen.write(bytes, used),
  }).then(
    (started) => {
      session = started;
      if (isClosed) started.close();
      for (const bytes of early.splice(0)) started.write(bytes).catch(() => {});
      // It may have changed meanwhile.
      started.resize(screen.size);
      void started.ended.then(() => !isClosed && latest.current.onEnd());
    },
    (error) => screen.say(error instanceof SshFailure ? error.message : "the shell did not begin"),
  );
  if (latest.current.isShown) screen.focus();
  return {
    screen,
    close() {
      isClosed = true;
      session?.close();
      screen.close();
    },
  };
}

interface QuestionProps {
  readonly asked: Asked;
  onDone(): void;
  paste(text: string): void;
}

/** Before a link opens: its whole address. Before lines that would run at once: the lines. */
function Question({ asked, onDone, paste }: QuestionProps) {
  const isLink = asked !== null && "link" in asked;
  const text = asked === null ? "" : "link" in asked ? asked.link : asked.paste;
  return (
    <ConfirmDialog
      open={asked !== null}
      onOpenChange={(open) => !open && onDone()}
      title={isLink ? "Open this address?" : "Paste several lines?"}
      verb={isLink ? "Open" : "Paste"}
      onConfirm={async () => {
        if (isLink) window.open(text, "_blank", "noopener,noreferrer");
        else paste(text);
      }}
    >
      <p>{isLink ? "The machine's output names it:" : "The program there runs each line as it comes:"}</p>
      <pre className="max-h-48 overflow-auto whitespace-pre-wrap break-all rounded-md bg-sunken p-2 font-mono text-xs">
        {text}
      </pre>
    </ConfirmDialog>
  );
}
