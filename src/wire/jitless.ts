/**
 * Schemas without compiled parsers, for processes that end after a few messages: compiling parsers costs them
 * more than it saves.
 *
 * @module
 */
import { config } from "zod";

/** Turns off compilation for schemas created from now on. Call it before their modules load. */
export function parseWithoutCompiling(): void {
  config({ jitless: true });
}
