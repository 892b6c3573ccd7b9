/**
 * Preferences, which stay in this browser.
 *
 * @module
 */
import { openTextStore } from "./text-store.ts";

export const { read: kept, write: keep } = openTextStore(() => localStorage);
