/**
 * The exports of this layer that a client's sign-in needs when management is away; see
 * `client/offline-login.ts`.
 *
 * @module
 */
export { issueOfflineCertificate as sign } from "./offline.ts";
export { parseCertificate as parse } from "./parse.ts";
