import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { QfError } from "../../src/base/errors.ts";
import type { Admin } from "../../src/cli/admin.ts";
import { castOf, findRecording, findRunning, pagesOf } from "../../src/cli/recording-source.ts";
import { createChunkEncrypter } from "../../src/recording/age-chunk.ts";
import { digestOfChunk, digestText } from "../../src/recording/chunk.ts";
import { anId } from "../support/policy.ts";
import { tempFolder } from "../support/temp-folder.ts";

const ID = anId("recording");
const recording = (id: string, change: Record<string, unknown> = {}) => ({
  ...{ id, machine_id: anId("web1"), machine: "web1", connection_id: anId("session"), session_id: 0 },
  ...{ user_id: null, local_user: "deploy", kind: "shell", mode: "required", status: "complete", why: null },
  ...{ started_at: "2026-11-30T10:00:00.000Z", ended_at: null, chunks: 1, bytes: 1 },
  ...{ digest: "A".repeat(43), encrypted: false, recipients: [], ...change },
});

/** An API that answers from a table; what is not in it is not found. */
function anApi(answers: Record<string, unknown>): Pick<Admin, "request"> {
  return {
    request: async (_method, path, { answer }) => {
      const parsed = answer.safeParse(answers[path]);
      if (!Object.hasOwn(answers, path) || !parsed.success) throw new QfError("ERR_NOT_FOUND", path);
      return { value: parsed.data, text: "" };
    },
  };
}

test("a recording is found by its own id, or by that of a session with one", async () => {
  const none = `/api/recordings?connection_id=${ID}`;
  const own = anApi({ [none]: [], [`/api/recordings/${ID}`]: recording(ID) });
  expect((await findRecording(own, ID)).id).toBe(ID);
  const session = `/api/recordings?connection_id=${anId("session")}`;
  expect((await findRecording(anApi({ [session]: [recording(ID)] }), anId("session"))).id).toBe(ID);
  const several = anApi({ [session]: [recording(ID), recording(anId("other"))] });
  expect(findRecording(several, anId("session"))).rejects.toMatchObject({ code: "ERR_CONFLICT" });
  for (const id of [ID, "../users"]) {
    expect(findRecording(anApi({ [none]: [] }), id)).rejects.toMatchObject({ code: "ERR_NOT_FOUND" });
  }
});

async function read(pages: readonly Uint8Array[], encrypted: boolean, identity?: string): Promise<string> {
  const status = "complete";
  const page = (n: number, packed?: Uint8Array) => ({
    chunks:
      packed === undefined
        ? []
        : [
            {
              number: n,
              sha256: digestText(digestOfChunk(packed)),
              data: Buffer.from(packed).toString("base64"),
            },
          ],
    ...{ next: packed === undefined ? n : n + 1, status, encrypted },
  });
  const answers = Object.fromEntries(
    Array.from({ length: pages.length + 1 }, (_, n) => [
      `/api/recordings/${ID}/chunks?from=${n}`,
      page(n, pages[n]),
    ]),
  );
  let text = "";
  for await (const piece of castOf(anApi(answers), { id: ID, encrypted }, identity)) text += piece;
  return text;
}

test("pages are read to the last", async () => {
  expect(await read([Buffer.from("one\n"), Buffer.from("two\n")], false)).toBe("one\ntwo\n");
});

test("what is encrypted is opened here, with the identity of a file", async () => {
  const identity = await generateX25519Identity();
  const encrypt = createChunkEncrypter([await identityToRecipient(identity)]);
  const pages = [await encrypt(Buffer.from("secret\n"))];
  const path = join(tempFolder(), "key");
  writeFileSync(path, `${identity}\n`);
  expect(await read(pages, true, path)).toBe("secret\n");
  expect(read(pages, true)).rejects.toMatchObject({ code: "ERR_USAGE" });
  expect(read(pages, true, `${path}-gone`)).rejects.toMatchObject({ code: "ERR_PERMISSION" });
});

const SESSION = anId("session");
const ofSession = `/api/recordings?connection_id=${SESSION}`;
const session = {
  ...{ id: SESSION, state: "live", user_id: null, user: "", machine_id: anId("web1"), machine: "web1" },
  ...{ device_id: null, device: null, local_user: "web", path: null, source_address: null },
  ...{ started_at: "2026-11-30T08:00:00.000Z", ended_at: null, end_reason: null, rule_id: null },
  ...{ reason: null, offline: false, running: [], forwards: [], bytes_in: null, bytes_out: null },
  may_end: false,
};

test.each<[name: string, answers: Record<string, unknown>, code: string]>([
  ["has two that run", { [ofSession]: [runs(ID), runs(anId("other"))] }, "ERR_CONFLICT"],
  ["has one that is over", { [ofSession]: [recording(ID)] }, "ERR_CONFLICT"],
  ["is not recorded", { [ofSession]: [], [`/api/sessions/${SESSION}`]: session }, "ERR_CONFLICT"],
  ["is not there, or somebody else's", { [ofSession]: [] }, "ERR_NOT_FOUND"],
  [
    "is a recording that is over",
    { [ofSession]: [], [`/api/recordings/${SESSION}`]: recording(ID) },
    "ERR_CONFLICT",
  ],
])("what %s cannot be watched", (_, answers, code) => {
  expect(findRunning(anApi(answers), SESSION)).rejects.toMatchObject({ code });
});

function runs(id: string) {
  return recording(id, { status: "running" });
}

test("the one that runs is watched, beside others that are over; a recording by its own id", async () => {
  const both = anApi({ [ofSession]: [recording(anId("old")), runs(ID)] });
  expect((await findRunning(both, SESSION)).id).toBe(ID);
  const own = anApi({ [ofSession]: [], [`/api/recordings/${SESSION}`]: runs(SESSION) });
  expect((await findRunning(own, SESSION)).id).toBe(SESSION);
});

test("one that runs is followed until it is over, or nobody wants more", async () => {
  const page = (text: string | null, next: number, status: string) => ({
    ...{ next, status, encrypted: false },
    chunks:
      text === null
        ? []
        : [{ number: next - 1, sha256: "A".repeat(43), data: Buffer.from(text).toString("base64") }],
  });
  const answers = [page("one\n", 1, "running"), page(null, 1, "running"), page("two\n", 2, "running")];
  const follow = async (last: object, looks: number): Promise<[text: string, asked: number]> => {
    const left: object[] = [...answers, last];
    const admin: Pick<Admin, "request"> = {
      request: async (_method, _path, { answer }) => {
        const parsed = answer.safeParse(left.length > 1 ? left.shift() : left[0]);
        if (!parsed.success) throw new QfError("ERR_NOT_FOUND", "no such answer");
        return { value: parsed.data, text: "" };
      },
    };
    let asked = 0;
    let text = "";
    const more = async (): Promise<boolean> => ++asked < looks;
    const of = { id: ID, encrypted: false };
    for await (const piece of castOf(admin, of, undefined, pagesOf(admin, of, more))) text += piece;
    return [text, asked];
  };
  expect(await follow(page(null, 2, "complete"), 9)).toEqual(["one\ntwo\n", 1]);
  expect(await follow(page(null, 2, "running"), 3)).toEqual(["one\ntwo\n", 3]);
  expect(await follow(page(null, 2, "running"), 1)).toEqual(["one\n", 1]);
});
