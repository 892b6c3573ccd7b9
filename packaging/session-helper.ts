/**
 * The session helper (`src/agent/session-helper`), built by the C compiler of this machine.
 *
 * `CC` names another compiler: one for another platform, say. Without any the executable is built without the
 * helper, and does itself what the helper would do, with more memory and processor time for each session.
 *
 * @module
 */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

const SOURCES = "src/agent/session-helper";
const FLAGS = [
  ...["-std=gnu11", "-O2", "-fPIE", "-pie", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"],
  ...["-Wall", "-Wextra", "-Wl,-z,relro,-z,now", "-Wl,--as-needed", "-s"],
];

/** Builds it into the file `outfile`, and answers with its bytes. Null: there is no compiler. */
export function buildSessionHelper(outfile: string): Buffer | null {
  const compiler = (process.env.CC ?? "cc").split(" ").filter((word) => word !== "");
  const [program = ""] = compiler;
  if (process.platform !== "linux" || Bun.which(program) === null) return null;
  mkdirSync(dirname(outfile), { recursive: true });
  const sources = [...new Bun.Glob("*.c").scanSync(SOURCES)].sort().map((name) => `${SOURCES}/${name}`);
  const { success } = Bun.spawnSync([...compiler, ...FLAGS, "-o", outfile, ...sources, "-ldl"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return success ? readFileSync(outfile) : null;
}
