import { afterAll, expect, test } from "bun:test";
import { createUploadSender } from "../../../src/agent/recording/upload-sender.ts";
import { answerRecordingUpload } from "../../../src/management/http/recording-routes.ts";
import { createRecordings } from "../../../src/management/recordings/recordings.ts";
import { createFolderStore } from "../../../src/management/recordings/store.ts";
import { packChunk } from "../../../src/recording/chunk.ts";
import { RECORDING_UPLOAD_PATH } from "../../../src/wire/recording.ts";
import { aManagement } from "../../support/management.ts";
import { aRecordingMachine, RecordingMachine } from "../../support/recording-upload.ts";
import { tempFolder } from "../../support/temp-folder.ts";

let answer: (request: Request) => Promise<Response> = async () => new Response("", { status: 502 });
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => answer(request) });
const origin = `http://127.0.0.1:${server.port}`;
afterAll(() => server.stop(true));

const CHUNKS = [0, 1].map((n) => packChunk(RecordingMachine.lines(n)));
const upload = (machine: RecordingMachine) => ({
  recordingId: machine.recordingId,
  first: 0,
  sizes: CHUNKS.map(({ length }) => length),
  head: machine.head,
});

test("what an agent sends is what management takes", async () => {
  const management = aManagement({ origin });
  const machine = await aRecordingMachine(management);
  const recordings = createRecordings(management, { store: createFolderStore(tempFolder()) });
  answer = (request) => {
    expect(new URL(request.url).pathname).toBe(RECORDING_UPLOAD_PATH);
    return answerRecordingUpload(recordings, request);
  };
  const { accountId, id: peerId } = machine.peer;
  const send = createUploadSender({ origin, accountId, peerId }, machine.key, new AbortController().signal);
  expect(await send(upload(machine), CHUNKS)).toEqual({ next: 2 });
  expect((await send(upload(machine), CHUNKS)).refusal?.code).toBe("duplicate");
});

test.each([
  { name: "a proxy that has lost management", status: 502, body: "<html>" },
  { name: "a page for people", status: 200, body: "<html>" },
  { name: "an answer without end", status: 200, body: " ".repeat(100_000) },
])("$name is nobody", async ({ status, body }) => {
  const machine = await aRecordingMachine(aManagement());
  const { accountId, id: peerId } = machine.peer;
  const send = createUploadSender({ origin, accountId, peerId }, machine.key, new AbortController().signal);
  answer = async () => new Response(body, { status });
  expect(send(upload(machine), CHUNKS)).rejects.toThrow();
});

test("an agent that stops waits for no answer", async () => {
  const stopped = new AbortController();
  const machine = await aRecordingMachine(aManagement());
  const { accountId, id: peerId } = machine.peer;
  const send = createUploadSender({ origin, accountId, peerId }, machine.key, stopped.signal);
  answer = () => new Promise(() => {});
  const sent = send(upload(machine), CHUNKS);
  stopped.abort();
  expect(sent).rejects.toThrow();
});
