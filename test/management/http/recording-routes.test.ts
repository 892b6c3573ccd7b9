import { expect, test } from "bun:test";
import { answerRecordingUpload } from "../../../src/management/http/recording-routes.ts";
import { RECORDING_UPLOAD_BYTES_MAX, type RecordingUploadAnswer } from "../../../src/wire/recording.ts";

const URL = "http://127.0.0.1/agent/v1/recordings";

const answering = (answer: RecordingUploadAnswer) => ({ take: async () => answer });

test.each([
  { refusal: undefined, status: 200 },
  { refusal: "duplicate" as const, status: 409 },
  { refusal: "full" as const, status: 429 },
  { refusal: "unavailable" as const, status: 503 },
  { refusal: "refused" as const, status: 403 },
])("an upload is answered with $status where it is $refusal", async ({ refusal, status }) => {
  const answer = { next: 3, ...(refusal === undefined ? {} : { refusal: { code: refusal, message: "no" } }) };
  const request = new Request(URL, { method: "POST", body: "x", headers: { "content-length": "1" } });
  const response = await answerRecordingUpload(answering(answer), request);
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual(answer);
});

test.each([
  { name: "another method", init: { method: "GET" }, code: "ERR_METHOD_NOT_ALLOWED" },
  { name: "no length", init: { method: "POST" }, code: "ERR_TOO_LARGE" },
  {
    name: "too much",
    init: { method: "POST", headers: { "content-length": String(RECORDING_UPLOAD_BYTES_MAX + 1) } },
    code: "ERR_TOO_LARGE",
  },
])("$name is refused before anything is read", ({ init, code }) => {
  const answer = answerRecordingUpload(answering({ next: 0 }), new Request(URL, init));
  expect(answer).rejects.toMatchObject({ code });
});
