/**
 * Management's part in approvals, played by hand, and an SSH client of the keyboard-interactive kind.
 */
import { Client } from "ssh2";
import type { ApprovalSubject, Approvals, OpenedApproval } from "../../src/agent/contracts/approvals.ts";
import { nowSeconds, systemClock } from "../../src/base/clock.ts";
import { SshReader } from "../../src/base/ssh-buffer.ts";
import type { ApprovalAnswer, ApprovedIdentity } from "../../src/wire/agent-sync.ts";
import { anId } from "./policy.ts";
import { ISSUER } from "./ssh-server-context.ts";

export interface FakeApprovals extends Approvals {
  readonly opened: ApprovalSubject[];
  readonly claims: {
    readonly subject: ApprovalSubject;
    readonly approvalId: string;
    readonly code: string;
  }[];
  readonly closed: string[];
  /** What `open` answers. Absent: an approval of five minutes. */
  opening: ((n: number) => Promise<OpenedApproval> | OpenedApproval) | undefined;
  /** What becomes of each code, in order; the last one stays. */
  answers: (ApprovalAnswer | { status: "unavailable" })[];
  /** Milliseconds that an answer to a claim takes. */
  claimMs: number;
}

/** Alice, as management tells a machine of her. */
export function aliceApproved(change: Partial<ApprovedIdentity> = {}): ApprovalAnswer {
  const identity = {
    userId: anId("alice"),
    issuer: ISSUER,
    subject: "alice",
    authTimeSeconds: nowSeconds(systemClock),
    loginId: "L".repeat(43),
    mapVersion: 1,
    refusal: null,
    ...change,
  };
  return { status: "approved", identity };
}

export function fakeApprovals(): FakeApprovals {
  const approvals: FakeApprovals = {
    opened: [],
    claims: [],
    closed: [],
    opening: undefined,
    answers: [aliceApproved()],
    claimMs: 0,
    async open(subject) {
      const n = approvals.opened.push(subject);
      if (approvals.opening !== undefined) return approvals.opening(n);
      return anOpened(n);
    },
    async claim(subject, typed) {
      approvals.claims.push({ subject, ...typed });
      await Bun.sleep(approvals.claimMs);
      const next = approvals.answers.length > 1 ? approvals.answers.shift() : approvals.answers[0];
      return next ?? { status: "unavailable" };
    },
    close: (approvalId) => void approvals.closed.push(approvalId),
  };
  return approvals;
}

export function anOpened(n: number, seconds = 300): OpenedApproval {
  return {
    kind: "opened",
    approvalId: anId(`approval${n}`),
    url: `https://qf.example.com/login/hosted/${anId(`approval${n}`)}`,
    expiresAtSeconds: nowSeconds(systemClock) + seconds,
  };
}

interface Shown {
  readonly text: string;
  readonly prompts: readonly string[];
  readonly echo: readonly boolean[];
}

export interface Interactive {
  readonly client: Client;
  readonly isIn: boolean;
  /** Instructions in order, each with its prompts, and whether their answers may be seen. */
  readonly shown: Shown[];
  readonly error: string;
  /** Every banner before the answer. */
  readonly banner: string;
}

/** Signs in by keyboard-interactive; `type` gives the answers to each set of prompts. `ident`: not ssh2's. */
export function interactive(
  port: number,
  username: string,
  type: (asked: { readonly n: number; readonly prompts: readonly string[] }) => Promise<string[]> | string[],
  ident?: string,
): Promise<Interactive> {
  const client = new Client();
  const shown: Shown[] = [];
  return new Promise((resolve) => {
    let error = "";
    let banner = "";
    const end = (isIn: boolean): void => resolve({ client, isIn, shown, error, banner });
    client.on("banner", (text) => {
      banner += text;
    });
    client.on("keyboard-interactive", async (_name, _instructions, _language, prompts, finish) => {
      finish(await type({ n: shown.length, prompts: prompts.map(({ prompt }) => prompt) }));
    });
    client
      .on("ready", () => end(true))
      .on("error", (cause) => {
        error ||= cause.message;
      })
      .on("close", () => end(false));
    client.connect({
      host: "127.0.0.1",
      port,
      username,
      readyTimeout: 10_000,
      tryKeyboard: true,
      authHandler: ["none", "keyboard-interactive"],
      ...(ident === undefined ? {} : { ident }),
    });
    // ssh2 answers a request without prompts by itself, and shows nobody what it says.
    const { _protocol: protocol } = client as unknown as {
      _protocol: { inspectPayload: (payload: Buffer) => true };
    };
    protocol.inspectPayload = (payload) => {
      if (payload[0] === INFO_REQUEST) shown.push(readRequest(payload));
      return true;
    };
  });
}

const INFO_REQUEST = 60;

/** An information request (RFC 4256 section 3.2). */
function readRequest(payload: Buffer): Shown {
  const reader = new SshReader(payload.subarray(1));
  reader.text(256);
  const text = reader.text(4096);
  reader.text(64);
  const prompts: string[] = [];
  const echo: boolean[] = [];
  for (let left = reader.uint32(); left > 0; left--) {
    prompts.push(reader.text(256));
    echo.push(reader.raw(1)[0] === 1);
  }
  return { text, prompts, echo };
}
