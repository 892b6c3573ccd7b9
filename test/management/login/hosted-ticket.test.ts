import { expect, test } from "bun:test";
import { sha256 } from "../../../src/base/random.ts";
import { seal, unseal } from "../../../src/management/ca/seal.ts";
import type { LoginDeps } from "../../../src/management/login/deps.ts";
import { openTicket, sealTicket } from "../../../src/management/login/hosted-ticket.ts";
import type { HostedTicket } from "../../../src/wire/hosted-login.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { anId } from "../../support/policy.ts";

const clock = new FakeClock();
const now = Math.floor(clock.nowMs() / 1000);
const depsOf = (masterKey: Uint8Array) =>
  ({
    ctx: { clock },
    sealer: {
      seal: (secret: string, owner: Parameters<typeof seal>[2]) => seal(masterKey, secret, owner),
      unseal: (text: string, owner: Parameters<typeof seal>[2]) => unseal(masterKey, text, owner).toString(),
    },
  }) as unknown as LoginDeps;
const deps = depsOf(new Uint8Array(32).fill(1));
const account = anId("account");
const ticket: HostedTicket = [
  anId("login"),
  now + 300,
  sha256("poll"),
  "A".repeat(43),
  "laptop",
  "web1",
  "deploy",
  "203.0.113.9",
  true,
  "code",
];

test("a ticket opens as what was sealed, and fits into a URL", () => {
  const text = sealTicket(deps, account, ticket);
  expect(text).toMatch(/^[A-Za-z0-9_-]{200,400}$/);
  expect(openTicket(deps, account, text)).toEqual({
    id: anId("login"),
    expiresAt: now + 300,
    pollSecretHash: sha256("poll"),
    loginKey: "A".repeat(43),
    data: {
      deviceName: "laptop",
      target: "web1",
      localUser: "deploy",
      sourceAddress: "203.0.113.9",
      fresh: true,
      confirmation: "code",
    },
  });
});

test.each<[name: string, text: () => string]>([
  ["of another account", () => sealTicket(deps, anId("other"), ticket)],
  ["under another master key", () => sealTicket(depsOf(new Uint8Array(32).fill(2)), account, ticket)],
  [
    "for another purpose",
    () => deps.sealer.seal(JSON.stringify(ticket), { purpose: "x", id: "", accountId: account }),
  ],
  [
    "that is over",
    () => sealTicket(deps, account, [ticket[0], now, ...ticket.slice(2)] as unknown as HostedTicket),
  ],
  ["of another shape", () => sealTicket(deps, account, ["x"] as unknown as HostedTicket)],
  ["that is none", () => "A".repeat(200)],
])("a ticket %s is none", (_name, text) => {
  expect(openTicket(deps, account, text())).toBeUndefined();
});
