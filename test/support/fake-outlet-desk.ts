/**
 * The outlets' desk without a network: secrets are kept readable, and tests arrive unless told otherwise.
 */
import type { OutletDesk } from "../../src/management/contracts/outlet-desk.ts";
import type { OutletRow } from "../../src/management/db/tables/log-outlets.ts";
import type { OutletTest } from "../../src/wire/outlet-api.ts";

export class FakeOutletDesk implements OutletDesk {
  hasMail = true;
  answer: OutletTest = { ok: true, error: null, hint: null };

  seal({ id }: Pick<OutletRow, "id" | "accountId">, secret: string): string {
    return `${id} ${secret}`;
  }

  open({ id, secret }: Pick<OutletRow, "id" | "accountId" | "secret">): string {
    if (secret?.startsWith(`${id} `) !== true) throw new Error("another outlet's secret");
    return secret.slice(id.length + 1);
  }

  async test(): Promise<OutletTest> {
    return this.answer;
  }
}
