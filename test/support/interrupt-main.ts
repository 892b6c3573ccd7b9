/**
 * A program with an account, management and an agent, that waits to be interrupted. Says what it has made.
 */
import { interruptible } from "./interrupt.ts";
import { openLab } from "./lab.ts";
import { OsAccount } from "./os-accounts.ts";

await interruptible(async () => {
  const account = new OsAccount("interrupt");
  const lab = await openLab();
  process.stdout.write(`${JSON.stringify({ account: account.name, root: lab.root })}\n`);
  // Interrupted while it comes up, or later.
  await lab.startAgent("web1");
  process.stdout.write("up\n");
  await Bun.sleep(120_000);
});
