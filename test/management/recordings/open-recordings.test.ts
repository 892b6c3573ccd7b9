import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openRecordings } from "../../../src/management/recordings/open-recordings.ts";
import { aManagement } from "../../support/management.ts";
import { aRecordingMachine } from "../../support/recording-upload.ts";

test("recordings are in the data folder, unless another is named", async () => {
  for (const where of [undefined, "elsewhere"]) {
    const management = aManagement();
    const closers: (() => unknown)[] = [];
    const folder = join(management.dataDir, where ?? "recordings");
    const recordings = await openRecordings(
      {
        dataDir: management.dataDir,
        recordingShareMb: "1",
        ...(where === undefined ? {} : { recordings: { where: folder } }),
      },
      management,
      closers,
    );
    const { body, signature } = (await aRecordingMachine(management)).upload(0, 1);
    expect((await recordings.take(body, signature)).refusal).toBeUndefined();
    expect(existsSync(folder)).toBe(true);
    for (const close of closers) close();
  }
});
