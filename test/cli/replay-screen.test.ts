import { expect, test } from "bun:test";
import { openScreen } from "../../src/cli/replay-screen.ts";

test("without a keyboard it waits as long as it is asked to, and nothing ends it", async () => {
  const { screen, close } = openScreen();
  await screen.wait(1);
  expect(screen.isOver).toBe(false);
  close();
});
