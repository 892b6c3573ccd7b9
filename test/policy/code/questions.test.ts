/** Questions against the whole maps of machines: the same decision, for everybody everywhere. */
import { expect, test } from "bun:test";
import { OPEN_FLAGS } from "../../../src/policy/code/access.ts";
import { createQuestions, rulesOf } from "../../../src/policy/code/questions.ts";
import { decide, recordOf } from "../../../src/policy/decide/decide.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import { compileMap, indexAccount } from "../../../src/policy/maps/compile.ts";
import { aMap } from "../../support/policy.ts";
import { WHOLE_FILE, withFile } from "../../support/policy-account.ts";

test("a question is decided as the machine's own map decides it, with the same trace", () => {
  const account = withFile(WHOLE_FILE.replaceAll("enabled: false", "enabled: true"));
  const questions = createQuestions(account);
  const index = indexAccount({
    ...aMap({}),
    ...{ cas: [], issuers: [], managementKeys: [], revokedLogins: [] },
    ...{ users: account.users, peers: account.peers, rules: rulesOf(account) },
  });
  let allowed = 0;
  for (const machine of account.peers.filter(({ kind }) => kind === "machine")) {
    const map = compileMap(index, machine.id);
    if (map === undefined) throw new Error("no map");
    const snapshot = prepareSnapshot(map);
    for (const { id: userId } of account.users.filter((user) => map.users[user.id] !== undefined)) {
      for (const device of account.peers.filter((peer) => map.peers[peer.id] !== undefined)) {
        for (const localUser of ["deploy", "root", "nobody"]) {
          const asked = { userId, devicePeerId: device.id, localUser, action: { kind: "connect" } as const };
          const nowSeconds = 1_795_000_000;
          const answer = questions.ask({ ...asked, machinePeerId: machine.id, nowSeconds });
          const wanted = decide(
            {
              ...{ ...asked, localUid: null, nowSeconds, authTimeSeconds: nowSeconds },
              ...{ binding: "idp", reason: "given", flags: OPEN_FLAGS },
            },
            snapshot,
          );
          if (answer === undefined) throw new Error("no answer");
          expect(recordOf(answer.decision)).toEqual(recordOf(wanted));
          if (wanted.kind === "allow") allowed += 1;
        }
      }
    }
  }
  expect(allowed).toBeGreaterThan(0);
});
