import { expect, test } from "bun:test";
import { aboutText } from "../../../../src/dashboard/pages/audit/audit-words.ts";

test.each<[meta: Record<string, string>, text: string]>([
  [{}, ""],
  [{ machine: "web1", local_user: "deploy" }, "machine web1 · local user deploy"],
  [{ reason: "local_user_unmapped", target: "web1" }, "reason local user unmapped · target web1"],
  [{ localUser: "postgres", mapVersion: "13" }, "local user postgres · map version 13"],
  [{ kind: "group", request: "rqvhn144hgosfj8zymii" }, "kind group"],
  [{ serial: "9215685745189231839", binding: "idp" }, "binding idp"],
  [{ name: "", source: "127.0.0.1" }, "source 127.0.0.1"],
  // A person's own words stay as they are.
  [{ command: "run_it now", exit: "0" }, "command run_it now · exit 0"],
])("%j is about %p", (meta, text) => expect(aboutText(meta)).toBe(text));
