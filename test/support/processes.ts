/** Processes of an account that still run; what init has yet to reap does not. */
import { readFileSync } from "node:fs";
import type { OsAccount } from "./os-accounts.ts";

export function alivePids(account: OsAccount): number[] {
  return account.pids().filter((pid) => {
    try {
      return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  });
}
