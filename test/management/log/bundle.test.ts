import { expect, test } from "bun:test";
import { BundleVerifier } from "../../../src/log/verify-bundle.ts";
import { appendEvents, systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import { bundleHeader, bundleLines } from "../../../src/management/log/bundle.ts";
import { aManagement, anAccount } from "../../support/management.ts";

test("what a store gives out verifies", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  const events = Array.from({ length: 90 }, (_, i) => ({
    activity: "login" as const,
    targetId: "",
    meta: { i: `${i}` },
  }));
  await management.store.transaction((tx) => appendEvents(tx, accountId, systemInitiator, events));
  const keys = await management.logs.keys(accountId);
  const verifier = new BundleVerifier({ keys, checkpoints: [] });
  verifier.line(JSON.stringify(await bundleHeader(management, accountId, {})));
  for (let after = 0; ; ) {
    const { lines } = await management.store.read((tx) => bundleLines(tx, accountId, { after, limit: 40 }));
    if (lines.length === 0) break;
    for (const { line } of lines) verifier.line(line);
    after = lines.at(-1)?.seq ?? after;
  }
  expect(verifier.end()).toMatchObject({ findings: [], isAnchored: true, entries: 91, size: 91 });
});
