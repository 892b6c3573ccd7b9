/**
 * A management whose log has something in it, and `qf audit` against it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { executablePath } from "./executable.ts";
import { type RunResult, runProcess } from "./run-process.ts";
import { startTestManagement, type TestManagement } from "./running-management.ts";
import { tempFolder } from "./temp-folder.ts";

export interface LogServer {
  readonly management: TestManagement;
  readonly folder: string;
  /** Events through the API, each of a group that is made. */
  grow(count: number): Promise<void>;
  api(path: string): Promise<unknown>;
  /** Runs `qf audit …` in a home of its own; in `folder`, where names of files are. */
  audit(...args: string[]): Promise<RunResult>;
  /** Writes a file into `folder` and gives its name back. */
  file(name: string, text: string): string;
}

export async function startLogServer(): Promise<LogServer> {
  const folder = tempFolder();
  const management = await startTestManagement(join(folder, "data"));
  const headers = { authorization: `Token ${management.token}`, "content-type": "application/json" };
  let groups = 0;
  return {
    management,
    folder,
    async grow(count) {
      for (let i = 0; i < count; i++) {
        groups += 1;
        const body = JSON.stringify({ name: `group ${groups} é` });
        const made = await fetch(`${management.url}/api/groups`, { method: "POST", headers, body });
        if (!made.ok) throw new Error(`a group was not made: ${made.status}`);
      }
    },
    async api(path) {
      const response = await fetch(`${management.url}${path}`, { headers });
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return await response.json();
    },
    async audit(...args) {
      return runProcess([await executablePath(), "audit", ...args], {
        cwd: folder,
        env: {
          HOME: folder,
          PATH: process.env.PATH ?? "",
          QF_TOKEN: management.token,
          QF_MANAGEMENT_URL: management.url,
          QF_NO_BROWSER: "1",
        },
      });
    },
    file(name, text) {
      writeFileSync(join(folder, name), text);
      return name;
    },
  };
}
