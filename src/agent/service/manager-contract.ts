/**
 * The service managers of this machine, as the agent uses them.
 *
 * @module
 */
export interface ServiceManager {
  readonly name: string;
  /** What a person should know of it beside that it works. */
  readonly note?: string;
  /**
   * Installs the service, and starts it anew with `command`, now and at every boot. Throws ERR_UNAVAILABLE.
   */
  start(command: readonly string[]): Promise<void>;
  /** Stops it, and keeps it from starting at boot. False when there is none. */
  stop(): Promise<boolean>;
  /** Removes what `start` installed; it must have been stopped. Nothing there is no failure. */
  remove(): Promise<void>;
}
