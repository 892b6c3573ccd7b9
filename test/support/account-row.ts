/**
 * A row of `accounts`, valid unless a test says otherwise. Also used by processes outside the test
 * runner, so it imports nothing of it.
 */

import { defaultSettings } from "../../src/management/contracts/settings.ts";
import type { NewRow } from "../../src/management/db/schema/schema.ts";

export function anAccountRow(change: Partial<NewRow<"accounts">> = {}): NewRow<"accounts"> {
  return {
    id: "account0000000000000",
    domain: "qf.internal",
    settings: defaultSettings(),
    onboarding: { signup_form_pending: false, onboarding_flow_pending: false },
    version: 1,
    nextAuditSeq: 1,
    createdAt: 1_795_000_000,
    createdBy: "sys",
    ...change,
  };
}
