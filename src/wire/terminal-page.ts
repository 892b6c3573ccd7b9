/**
 * The connection of a page's terminal to the relay: a ticket from the dashboard session, then a WebSocket
 * with the ticket as a subprotocol. Constants only, since pages use them too.
 *
 * @module
 */

/** POST, by a page of ours: gives `{ ticket }` for one hello. */
export const TERMINAL_TICKETS_PATH = "/api/terminal/tickets";
/** Beginning of a hello's line; its number is the version of the hello. */
export const HELLO_PREFIX = "QUFABRIC/1 ";
/** Operating system that a device of the kind browser names among its facts. */
export const BROWSER_OS = "browser";
/** The WebSocket. */
export const TERMINAL_RELAY_PATH = "/relay/terminal";
/**
 * The subprotocol that is spoken. Beside it the page offers, each as one name: `ticket.` and the ticket,
 * `hello.` and the hello in base64url, `proof.` and the device's signature as in `RELAY_PROOF_HEADER`.
 */
export const TERMINAL_PROTOCOL = "qufabric.terminal";
