/** A person at a keyboard: a real process on a real pseudo-terminal. */

/** A process on a pseudo-terminal. */
export class LabTerminal {
  readonly process: Bun.Subprocess;
  text = "";

  constructor(command: string[], env: Record<string, string>, cwd: string) {
    const decoder = new TextDecoder();
    this.process = Bun.spawn(command, {
      env,
      cwd,
      terminal: {
        cols: 100,
        rows: 30,
        data: (_terminal: unknown, data: Uint8Array) => {
          this.text += decoder.decode(data, { stream: true });
        },
      },
    });
  }

  type(text: string): void {
    this.process.terminal?.write(text);
  }

  /** Waits until the screen has shown `pattern`. */
  async expect(pattern: RegExp, timeoutMs = 15_000): Promise<RegExpExecArray> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) return match;
      if (performance.now() > end) throw new Error(`waited in vain for ${pattern} in:\n${this.text}`);
      await Bun.sleep(20);
    }
  }

  async end(timeoutMs = 10_000): Promise<number> {
    const code = await Promise.race([this.process.exited, Bun.sleep(timeoutMs).then(() => undefined)]);
    if (code !== undefined) return code;
    this.process.kill("SIGKILL");
    throw new Error(`still running after ${timeoutMs} ms:\n${this.text}`);
  }
}
