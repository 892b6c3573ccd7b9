/**
 * A shell: its screen, search, keys for phones, and questions to the user. The screen outlives the
 * connection: a new connection goes on below the old output.
 *
 * @module
 */
import { useEffect, useRef, useState } from "react";
import type { Bytes } from "../../../browser-ssh/bytes.ts";
import type { SshConnection } from "../../../browser-ssh/connection.ts";
import { SshFailure } from "../../../browser-ssh/failure.ts";
import { type Session, startSession } from "../../../browser-ssh/session.ts";
import { classes } from "../../components/class-names.ts";
import { ClipboardWrites } from "../../terminal/clipboard-writes.ts";
import { schemeOf } from "../../terminal/colour-schemes.ts";
import { controlKey } from "../../terminal/cursor-keys.ts";
import { lastWords } from "../../terminal/last-words.ts";
import type { ScreenAction } from "../../terminal/own-keys.ts";
import { openScreen, type Screen, type ScreenListener } from "../../terminal/screen.ts";
import type { Ending } from "../../terminal/terminal-session.ts";
import { KeyBar } from "./key-bar.tsx";
import { SearchBar } from "./search-bar.tsx";
import { type Asked, ShellQuestion } from "./shell-question.tsx";
import type { TerminalLook } from "./use-terminal-look.tsx";

/** What the page does with the screen in front. */
export type ScreenHandle = Pick<Screen, "text" | "type" | "focus">;

interface ShellTabProps {
  readonly connection: SshConnection;
  readonly isShown: boolean;
  readonly look: TerminalLook;
  readonly isSearching: boolean;
  readonly banners: readonly string[];
  readonly ending: Ending | null;
  onTitle(title: string): void;
  onBell(): void;
  onEnd(): void;
  onAction(action: Exclude<ScreenAction, "copy">): void;
  /** Called when Return is pressed after the connection was lost. */
  onAgain(): void;
  /** Receives a handle on the screen, and null once it is gone. */
  keepScreen(screen: ScreenHandle | null): void;
}

export function ShellTab(props: ShellTabProps) {
  const { connection, isShown, isSearching, look, ending } = props;
  const element = useRef<HTMLDivElement>(null);
  const shell = useRef<Shell | null>(null);
  const question = useQuestion();
  const ctrl = useCtrl();
  const latest = useRef({ ...props, ask: question.ask, takeCtrl: ctrl.take });
  latest.current = { ...props, ask: question.ask, takeCtrl: ctrl.take };
  useEffect(() => {
    if (element.current === null) return;
    const opened = openShell(element.current, latest);
    shell.current = opened;
    latest.current.keepScreen(opened.screen);
    return () => {
      latest.current.keepScreen(null);
      opened.close();
    };
  }, []);
  useEffect(() => shell.current?.begin(connection), [connection]);
  useLook(shell, look);
  useEffect(() => {
    if (isShown) shell.current?.screen.fit();
    if (isShown) shell.current?.screen.focus();
  }, [isShown]);
  useEffect(() => {
    if (ending !== null) shell.current?.end(ending);
  }, [ending]);
  return (
    <div className={classes("absolute inset-0 flex-col gap-2", isShown ? "flex" : "hidden")}>
      {isSearching ? (
        <SearchBar find={(text, isBackward) => shell.current?.screen.find(text, isBackward) ?? false} />
      ) : null}
      <div
        className="min-h-0 flex-1 rounded-md border border-line bg-sunken p-2"
        style={{ background: schemeOf(look.scheme)?.background }}
      >
        <div ref={element} data-terminal className="size-full overflow-hidden" />
      </div>
      <KeyBar
        isCtrl={ctrl.isDown}
        setIsCtrl={(is) => {
          ctrl.set(is);
          shell.current?.screen.focus();
        }}
        onKey={(text) => {
          shell.current?.screen.type(text);
          shell.current?.screen.focus();
        }}
      />
      <ShellQuestion
        asked={question.asked}
        onDone={() => {
          shell.current?.clipboard.refuse();
          question.done();
        }}
        onYes={async (asked) => shell.current?.answer(asked)}
      />
    </div>
  );
}

/** Keeps the screen as the user prefers it. */
function useLook(shell: { readonly current: Shell | null }, look: TerminalLook): void {
  const { fontSize, scheme, isRead, copyOnSelect, ctrlCopies } = look;
  useEffect(() => shell.current?.screen.setFontSize(fontSize), [shell, fontSize]);
  useEffect(
    () => shell.current?.screen.setHabits({ scheme, isRead, copyOnSelect, ctrlCopies }),
    [shell, scheme, isRead, copyOnSelect, ctrlCopies],
  );
}

/** One question at a time. A second one never replaces the one being read. */
function useQuestion() {
  const [asked, setAsked] = useState<Asked | null>(null);
  const open = useRef(false);
  const ask = (next: Asked): boolean => {
    if (open.current) return false;
    open.current = true;
    setAsked(next);
    return true;
  };
  const done = (): void => {
    open.current = false;
    setAsked(null);
  };
  return { asked, ask, done };
}

/** The Ctrl key of the key bar. It applies to one key, pressed there or typed. */
function useCtrl() {
  const [isDown, setIsDown] = useState(false);
  const now = useRef(false);
  const set = (is: boolean): void => {
    now.current = is;
    setIsDown(is);
  };
  const take = (text: string): string => {
    const sent = now.current ? controlKey(text) : null;
    if (sent === null) return text;
    set(false);
    return sent;
  };
  return { isDown, set, take };
}

interface Shell {
  readonly screen: Screen;
  readonly clipboard: ClipboardWrites;
  /** Starts a shell on the connection, in this screen. */
  begin(connection: SshConnection): void;
  /** Ends the shell together with its connection, and discards pending input. */
  end(ending: Ending): void;
  /** Carries out what the user said yes to. */
  answer(asked: Asked): Promise<void>;
  close(): void;
}

interface ShellNow extends ShellTabProps {
  ask(asked: Asked): boolean;
  takeCtrl(text: string): string;
}

const RETURN = 0x0d;

function openShell(element: HTMLElement, latest: { readonly current: ShellNow }): Shell {
  let session: Session | null = null;
  let isClosed = false;
  /** Input typed before the shell was there. */
  let early: Bytes[] = [];
  const clipboard = new ClipboardWrites({
    ask: (text) => latest.current.isShown && latest.current.ask({ kind: "copy", text }),
    write: (text) => navigator.clipboard.writeText(text),
  });
  const screen = openScreen(element, latest.current.look.fontSize, {
    ...hearScreen(latest),
    onInput: (bytes) => {
      const { ending, onAgain } = latest.current;
      if (ending !== null) {
        if (ending.isLost && bytes.length === 1 && bytes[0] === RETURN) onAgain();
      } else if (session === null) early.push(bytes);
      else session.write(bytes).catch(() => {});
    },
    onResize: (size) => session?.resize(size),
    onClipboard: (text) => clipboard.onText(text),
  });
  const begun = (started: Session, connection: SshConnection): void => {
    if (isClosed || latest.current.connection !== connection) {
      started.close();
      return;
    }
    session = started;
    for (const bytes of early.splice(0)) started.write(bytes).catch(() => {});
    // The size may have changed meanwhile.
    started.resize(screen.size);
    // If the whole connection ends, its shells stay to be read; `onEnd` is for one that ends alone.
    void started.ended.then(() => !isClosed && !connection.isOver && latest.current.onEnd());
  };
  return {
    screen,
    clipboard,
    begin(connection) {
      for (const text of latest.current.banners) screen.say(text.trim());
      startSession(connection, {
        ...{ terminal: screen.size, run: { shell: true }, environment: { LANG: "C.UTF-8" } },
        onData: (bytes, _isError, used) => screen.write(bytes, used),
      }).then(
        (started) => begun(started, connection),
        (error) => screen.say(error instanceof SshFailure ? error.message : "the shell did not begin"),
      );
      if (latest.current.isShown) screen.focus();
    },
    end(ending) {
      [session, early] = [null, []];
      screen.say(lastWords(ending, new Date()));
    },
    answer: (asked) => carryOut(asked, screen, clipboard),
    close() {
      isClosed = true;
      session?.close();
      screen.close();
    },
  };
}

async function carryOut({ kind, text }: Asked, screen: Screen, clipboard: ClipboardWrites): Promise<void> {
  if (kind === "link") window.open(text, "_blank", "noopener,noreferrer");
  else if (kind === "paste") screen.paste(text);
  else await clipboard.allow(text);
}

/** Screen events for the page, not for the machine. */
function hearScreen(latest: {
  readonly current: ShellNow;
}): Omit<ScreenListener, "onInput" | "onResize" | "onClipboard"> {
  return {
    onTyped: (text) => latest.current.takeCtrl(text),
    onAction: (action) => latest.current.onAction(action),
    onEscape: () => latest.current.connection.close(),
    onTitle: (title) => latest.current.onTitle(title),
    onBell: () => latest.current.onBell(),
    onLink: (text) => void latest.current.ask({ kind: "link", text }),
    onPaste: (text) => void latest.current.ask({ kind: "paste", text }),
  };
}
