/** A real terminal emulator without a window: what is on the screen after so much output. */
import { Terminal } from "@xterm/xterm";

export interface Played {
  /** What is written; a size, from there on. */
  readonly steps: readonly (string | { readonly cols: number; readonly rows: number })[];
  readonly cols: number;
  readonly rows: number;
}

/** The screen line by line: the text, with every change of colour and style in it; then the cursor. */
export async function screenAfter({ steps, cols, rows }: Played): Promise<string[]> {
  const terminal = new Terminal({ cols, rows, allowProposedApi: true });
  for (const step of steps) {
    if (typeof step !== "string") terminal.resize(step.cols, step.rows);
    else await new Promise<void>((resolve) => terminal.write(step, resolve));
  }
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let y = 0; y < terminal.rows; y++) lines.push(lineAt(terminal, active.baseY + y));
  lines.push(`${active.type} ${terminal.cols}x${terminal.rows} cursor ${active.cursorX},${active.cursorY}`);
  terminal.dispose();
  return lines;
}

function lineAt(terminal: Terminal, y: number): string {
  const line = terminal.buffer.active.getLine(y);
  let text = "";
  let before = "";
  for (let x = 0; x < terminal.cols; x++) {
    const cell = line?.getCell(x);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const styles = [cell.isBold(), cell.isItalic(), cell.isUnderline(), cell.isInverse(), cell.isDim()];
    const colours = [cell.getFgColorMode(), cell.getFgColor(), cell.getBgColorMode(), cell.getBgColor()];
    const style = [...colours, ...styles].join(" ");
    if (style !== before) text += `{${style}}`;
    before = style;
    text += cell.getChars() || " ";
  }
  return text.trimEnd();
}
