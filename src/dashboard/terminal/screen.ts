/**
 * The terminal screen: xterm.js, restricted in what a machine may do to the page. Loaded, with its library,
 * when a terminal is opened.
 *
 * A machine may not control the window, show images or read the clipboard. It may write the clipboard only
 * when the user has allowed that. The page's title is its own, with the machine's title behind it.
 *
 * @module
 */
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { type ITheme, Terminal } from "@xterm/xterm";
import { type Bytes, utf8 } from "../../browser-ssh/bytes.ts";
import type { TerminalSize } from "../../browser-ssh/session.ts";
import { clipboardText } from "./clipboard-writes.ts";
import { type SchemeName, schemeOf } from "./colour-schemes.ts";
import { cursorKey } from "./cursor-keys.ts";
import { EscapeKeys } from "./escape-keys.ts";
import { giveStylesNonce } from "./nonced-styles.ts";
import { OutputPace } from "./output-pace.ts";
import { isCtrlC, type ScreenAction, screenAction } from "./own-keys.ts";
import { cleanPaste, wantsAsking } from "./paste.ts";

const SCROLLBACK_LINES = 10_000;
const TITLE_CHARS_MAX = 80;
/** Factor on the font's own line height. With less, many fonts' underscores are cut off. */
const LINE_HEIGHT = 1.2;

export interface ScreenListener {
  onInput(bytes: Bytes): void;
  /** Called with typed text, also from the on-screen keys. Returns what to take it for. */
  onTyped(text: string): string;
  /** Called for a key that the page handles, other than copy. */
  onAction(action: Exclude<ScreenAction, "copy">): void;
  /** Called when `~.` was typed. */
  onEscape(): void;
  onResize(size: TerminalSize): void;
  onTitle(title: string): void;
  onBell(): void;
  /** Called when an http or https link was clicked. */
  onLink(address: string): void;
  /** Called before a paste of several lines that would each run at once. */
  onPaste(text: string): void;
  /** Called when a program asks to write to the clipboard. */
  onClipboard(text: string): void;
}

/** The user's preferences. */
export interface ScreenHabits {
  readonly scheme: SchemeName;
  /** Whether a screen reader is told what the screen shows. */
  readonly isRead: boolean;
  readonly copyOnSelect: boolean;
  readonly ctrlCopies: boolean;
}

export interface Screen {
  readonly size: TerminalSize;
  /** Writes output. Calls `drawn` once the bytes are on the screen. */
  write(bytes: Bytes, drawn?: () => void): void;
  /** Shows a line of the page's own. */
  say(text: string): void;
  /** Enters text as if typed, for the on-screen keys. */
  type(text: string): void;
  paste(text: string): void;
  setFontSize(pixels: number): void;
  find(text: string, isBackward: boolean): boolean;
  /** The whole buffer as lines of text. */
  text(): string;
  /** Applies the user's preferences. */
  setHabits(habits: ScreenHabits): void;
  focus(): void;
  fit(): void;
  close(): void;
}

export function openScreen(element: HTMLElement, fontSize: number, listener: ScreenListener): Screen {
  const openLink = (_event: MouseEvent, text: string): void => {
    const url = URL.parse(text);
    if (url !== null && /^https?:$/.test(url.protocol)) listener.onLink(url.href);
  };
  const { terminal, fit, search } = openTerminal(element, fontSize, openLink);
  const habits = { now: NO_HABITS };
  hearKeys(terminal, listener, habits);
  const escapes = new EscapeKeys();
  const onText = (text: string): void => {
    const sent = escapes.take(listener.onTyped(text));
    if (sent === null) listener.onEscape();
    else if (sent !== "") listener.onInput(utf8(sent));
  };
  terminal.onData(onText);
  terminal.onBinary((text) => listener.onInput(Uint8Array.from(text, (c) => c.charCodeAt(0) & 0xff)));
  terminal.onResize(({ cols, rows }) => listener.onResize({ columns: cols, rows }));
  hearPrograms(terminal, listener);
  const pace = paceOf(terminal);
  const undo = [
    followPage(element, terminal, { fit, habits }),
    copySelected(element, terminal, habits),
    catchPaste(element, terminal, listener),
  ];
  return {
    get size() {
      return { columns: terminal.cols, rows: terminal.rows };
    },
    write: (bytes, drawn) => pace.write(bytes, drawn),
    say: (text) => say(terminal, pace, text),
    type: (text) => onText(cursorKey(text, terminal.modes.applicationCursorKeysMode)),
    paste: (text) => terminal.paste(text),
    setFontSize(pixels) {
      terminal.options.fontSize = pixels;
      fitted(element, fit);
    },
    find: (text, isBackward) => (isBackward ? search.findPrevious(text) : search.findNext(text)),
    text: () => textOf(terminal),
    setHabits(next) {
      habits.now = next;
      terminal.options.screenReaderMode = next.isRead;
      terminal.options.theme = themeOf(element, next.scheme);
    },
    focus: () => terminal.focus(),
    fit: () => fitted(element, fit),
    close() {
      for (const stop of undo) stop();
      terminal.dispose();
    },
  };
}

/** Opens xterm.js by itself, with our settings and addons. */
export function openTerminal(
  element: HTMLElement,
  fontSize: number,
  openLink: (event: MouseEvent, text: string) => void,
): { readonly terminal: Terminal; readonly fit: FitAddon; readonly search: SearchAddon } {
  giveStylesNonce();
  const terminal = new Terminal({
    ...{ fontSize, scrollback: SCROLLBACK_LINES, cursorBlink: false, allowProposedApi: true },
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--font-mono") || "monospace",
    theme: themeOf(element, "page"),
    linkHandler: { activate: openLink, allowNonHttpProtocols: false },
    ...{ lineHeight: LINE_HEIGHT, minimumContrastRatio: 4.5 },
  });
  const [fit, search] = [new FitAddon(), new SearchAddon()];
  for (const addon of [fit, search, new WebLinksAddon(openLink)]) terminal.loadAddon(addon);
  show(terminal, element);
  return { terminal, fit, search };
}

function paceOf(terminal: Terminal): OutputPace {
  return new OutputPace({
    write: (bytes, drawn) => terminal.write(bytes, drawn),
    nowMs: () => performance.now(),
    later: (work, ms) => void setTimeout(work, ms),
  });
}

/** Shows a line of the page's own after all earlier output. */
function say(terminal: Terminal, pace: OutputPace, text: string): void {
  pace.flush();
  terminal.write(`\r\n\u001b[0;1m${text.replaceAll("\n", "\r\n")}\u001b[0m\r\n`);
}

function show(terminal: Terminal, element: HTMLElement): void {
  // Gives emoji the width that current programs assume.
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = "11";
  terminal.open(element);
  terminal.textarea?.setAttribute("aria-label", "Terminal");
  terminal.textarea?.setAttribute("aria-description", "Control F6 leaves it.");
}

type Habits = { readonly now: ScreenHabits };
const NO_HABITS: ScreenHabits = { scheme: "page", isRead: false, copyOnSelect: false, ctrlCopies: false };

function hearKeys(terminal: Terminal, listener: ScreenListener, habits: Habits): void {
  const isMac = /\bMac OS X\b|\biPad\b/.test(navigator.userAgent);
  terminal.attachCustomKeyEventHandler((event) => {
    const isCopy = habits.now.ctrlCopies && terminal.hasSelection() && isCtrlC(event, isMac);
    const action = isCopy ? "copy" : screenAction(event, isMac);
    if (action === null) return true;
    event.preventDefault();
    if (event.type !== "keydown") return false;
    if (action !== "copy") listener.onAction(action);
    else copySelection(terminal);
    if (isCopy) terminal.clearSelection();
    return false;
  });
}

function copySelection(terminal: Terminal): void {
  if (terminal.hasSelection()) navigator.clipboard.writeText(terminal.getSelection()).catch(() => {});
}

/** Copies a selection once the pointer is let go, if the user prefers that. Returns how to stop. */
function copySelected(element: HTMLElement, terminal: Terminal, habits: Habits): () => void {
  const onUp = (): void => {
    if (habits.now.copyOnSelect) copySelection(terminal);
  };
  element.addEventListener("mouseup", onUp);
  return () => element.removeEventListener("mouseup", onUp);
}

/** The buffer's text, with wrapped lines joined and trailing empty lines removed. */
function textOf({ buffer: { active } }: Terminal): string {
  let text = "";
  for (let at = 0; at < active.length; at++) {
    const line = active.getLine(at);
    if (line === undefined) continue;
    if (at > 0 && !line.isWrapped) text += "\n";
    text += line.translateToString(active.getLine(at + 1)?.isWrapped !== true);
  }
  return `${text.trimEnd()}\n`;
}

/** Handles the sequences by which programs may ask something of the page. */
function hearPrograms(terminal: Terminal, listener: ScreenListener): void {
  terminal.parser.registerOscHandler(52, (data) => {
    const text = clipboardText(data);
    if (text !== null) listener.onClipboard(text);
    return true;
  });
  terminal.onTitleChange((title) => listener.onTitle(title.replace(/\p{C}/gu, "").slice(0, TITLE_CHARS_MAX)));
  terminal.onBell(() => listener.onBell());
}

/** Intercepts pasted text before xterm.js sees it. Returns how to stop. */
function catchPaste(element: HTMLElement, terminal: Terminal, listener: ScreenListener): () => void {
  const onPaste = (event: ClipboardEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    const text = cleanPaste(event.clipboardData?.getData("text/plain") ?? "");
    if (wantsAsking(text, terminal.modes.bracketedPasteMode)) listener.onPaste(text);
    else terminal.paste(text);
  };
  element.addEventListener("paste", onPaste, true);
  return () => element.removeEventListener("paste", onPaste, true);
}

/** Follows the size that the page allots, and the page's theme. Returns how to stop. */
function followPage(
  element: HTMLElement,
  terminal: Terminal,
  { fit, habits }: { readonly fit: FitAddon; readonly habits: Habits },
): () => void {
  const watching = new ResizeObserver(() => fitted(element, fit));
  watching.observe(element);
  const theming = watchTheme(() => {
    terminal.options.theme = themeOf(element, habits.now.scheme);
  });
  fitted(element, fit);
  return () => {
    watching.disconnect();
    theming();
  };
}

/** A hidden tab has no size to fit to. */
function fitted(element: HTMLElement, fit: FitAddon): void {
  if (element.clientWidth > 0 && element.clientHeight > 0) fit.fit();
}

function themeOf(element: HTMLElement, scheme: SchemeName): ITheme {
  const chosen = schemeOf(scheme);
  if (chosen !== null) return chosen;
  const style = getComputedStyle(element);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  return {
    background: value("--sunken"),
    foreground: value("--ink"),
    cursor: value("--accent"),
    cursorAccent: value("--sunken"),
    selectionBackground: `${value("--accent")}55`,
  };
}

/** Calls `onChange` when the theme changes. Returns how to stop. */
function watchTheme(onChange: () => void): () => void {
  const observer = new MutationObserver(onChange);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", onChange);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", onChange);
  };
}
