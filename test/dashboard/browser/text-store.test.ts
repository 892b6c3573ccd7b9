import { expect, test } from "bun:test";
import { openTextStore, parseStored } from "../../../src/dashboard/browser/text-store.ts";

/** What a browser does whose settings refuse storage. */
function refused(): Storage {
  throw new DOMException("The operation is insecure.", "SecurityError");
}

function storage(): Storage {
  const texts = new Map<string, string>();
  return {
    getItem: (key: string) => texts.get(key) ?? null,
    setItem: (key: string, text: string) => void texts.set(key, text),
    removeItem: (key: string) => void texts.delete(key),
  } as Storage;
}

const held = storage();

test.each([
  ["the browser's storage", () => held],
  ["memory where the browser refuses storage", refused],
])("a text is in %s until it is deleted", (_, of) => {
  const store = openTextStore(of);
  expect(store.read("a")).toBeNull();
  store.write("a", "text");
  expect([store.read("a"), store.read("b")]).toEqual(["text", null]);
  store.write("a", null);
  expect(store.read("a")).toBeNull();
});

test("stored JSON that is damaged counts as nothing", () => {
  expect(['{"a":1}', "{", "", null].map(parseStored)).toEqual([{ a: 1 }, null, null, null]);
});
