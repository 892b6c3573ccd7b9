/**
 * The interface of a service manager for the agent.
 *
 * @module
 */
export interface ServiceManager {
  readonly name: string;
  /** Something the person should know besides that it works. */
  readonly note?: string;
  /** Installs the service and restarts it with `command`, now and at every boot. Throws ERR_UNAVAILABLE. */
  start(command: readonly string[]): Promise<void>;
  /** Stops the service and disables it at boot. False: there is none. */
  stop(): Promise<boolean>;
  /** Removes what `start` installed. The service must have been stopped. A missing service is no failure. */
  remove(): Promise<void>;
}
