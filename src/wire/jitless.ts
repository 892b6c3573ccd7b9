/**
 * Schemas without compiled parsers, for processes that end after a few messages: compiling a parser for each
 * shape costs them more than the compiled ones save.
 *
 * @module
 */
import { config } from "zod";

/** Turns compiling off for schemas that are made from now on: call it before their modules load. */
export function parseWithoutCompiling(): void {
  config({ jitless: true });
}
