/** The handle on a process full of idle connections (`idle-clients.ts`). */
import { resolve } from "node:path";
import type { IdleAnswer, IdleOrder } from "./idle-clients.ts";

export interface IdleLoad extends AsyncDisposable {
  /** Throws when one of them could not be opened. */
  open(order: IdleOrder): Promise<IdleAnswer>;
  /** Asks each of them: `open` is how many answer. */
  count(): Promise<IdleAnswer>;
  closeAll(): Promise<void>;
}

const NOTHING: IdleOrder = {
  port: 0,
  user: "",
  key: "",
  hasCertificate: false,
  open: 0,
  width: 1,
  shell: false,
};

export function startIdleLoad(): IdleLoad {
  const script = resolve(import.meta.dir, "idle-clients.ts");
  const child = Bun.spawn([process.execPath, script], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const ask = async (line: string): Promise<IdleAnswer> => {
    child.stdin.write(`${line}\n`);
    await child.stdin.flush();
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the process of idle connections is gone");
      text += decoder.decode(value, { stream: true });
    }
    const end = text.indexOf("\n");
    const answer = JSON.parse(text.slice(0, end)) as IdleAnswer;
    text = text.slice(end + 1);
    return answer;
  };
  return {
    async open(order) {
      const answer = await ask(JSON.stringify(order));
      if (answer.failed > 0) throw new Error(`${answer.failed} of ${order.open} connections were refused`);
      return answer;
    },
    count: () => ask("count"),
    closeAll: async () => void (await ask(JSON.stringify(NOTHING))),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
