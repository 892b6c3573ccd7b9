/**
 * What a client's sign-in needs of certificates when management is away; see `client/offline-login.ts`.
 *
 * @module
 */
export { issueOfflineCertificate as sign } from "./offline.ts";
export { parseCertificate as parse } from "./parse.ts";
