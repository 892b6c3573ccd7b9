/**
 * Loaded before suites that run on PostgreSQL: hooks of a module that several files import are those of
 * the first file only, and open connections are not as cheap as open files.
 */
import { afterEach } from "bun:test";
import { closeAnyTestStores } from "./any-store.ts";

afterEach(closeAnyTestStores);
