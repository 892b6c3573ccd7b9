import { expect, test } from "bun:test";
import { checkOutlets } from "../../../src/management/outlets/start.ts";

test("options that cannot be meant are refused before anything is opened", async () => {
  expect(await checkOutlets({})).toBeNull();
  for (const options of [{ allowOutbound: ["10.0.0.0/99"] }, { smtp: { url: "http://mail.example.com" } }]) {
    await expect(checkOutlets(options)).rejects.toMatchObject({ code: "ERR_USAGE" });
  }
});
