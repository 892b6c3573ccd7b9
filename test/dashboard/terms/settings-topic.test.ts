import { expect, test } from "bun:test";
import { settingsTopicOf } from "../../../src/dashboard/terms/settings-topic.ts";

test.each<[text: string | undefined, topic: string]>([
  ["streams", "streams"],
  ["sign-in", "sign-in"],
  ["nothing", "organisation"],
  [undefined, "organisation"],
])("%j is %j", (text, topic) => expect<string>(settingsTopicOf(text)).toBe(topic));
