import { expect, test } from "bun:test";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { followHandovers, isHandover, signHandover } from "../../src/log/key-handover.ts";

const ORIGIN = "qf.example.com/qufabric/d34hgk3f9s8d7f6g5h4j";
const [one, two, three, evil] = [0, 1, 2, 3].map(generateEd25519) as [Key, Key, Key, Key];
type Key = ReturnType<typeof generateEd25519>;
const first = signHandover(ORIGIN, { from: one, to: two });
const second = signHandover(ORIGIN, { from: two, to: three });
const log = { origin: ORIGIN, key: one.publicKey };

test("followHandovers goes from key to key by the word of both", () => {
  expect(followHandovers(log, [])).toEqual([one.publicKey]);
  expect(followHandovers(log, [first, second])).toEqual([one, two, three].map(({ publicKey }) => publicKey));
  expect(followHandovers({ ...log, key: two.publicKey }, [first, second]).at(-1)).toBe(three.publicKey);
});

test.each([
  ["without the word of the old key", { ...first, old_signature: second.old_signature }],
  ["without the word of the new key", { ...first, new_signature: first.old_signature }],
  ["with another new key", { ...first, new_key: evil.publicKey }],
  [
    "signed by a key of its own",
    { ...signHandover(ORIGIN, { from: evil, to: two }), old_key: one.publicKey },
  ],
  ["of another log", signHandover(ORIGIN.replace("d34", "e34"), { from: one, to: two })],
  ["of the same account at another server", signHandover(`x${ORIGIN}`, { from: one, to: two })],
])("a change %s leads nowhere", (_name, record) => {
  expect(isHandover(ORIGIN, record)).toBe(false);
  expect(followHandovers(log, [record])).toEqual([one.publicKey]);
});

test("words out of order, left out or going round lead no further", () => {
  expect(followHandovers(log, [second, first]).at(-1)).toBe(two.publicKey);
  expect(followHandovers(log, [second])).toEqual([one.publicKey]);
  const back = signHandover(ORIGIN, { from: two, to: one });
  expect(followHandovers(log, [first, back, second]).at(-1)).toBe(three.publicKey);
});
