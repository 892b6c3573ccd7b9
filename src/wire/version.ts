/**
 * The version of everything two processes say to each other, and its history.
 *
 * 1 (2026-11): hello, enrolment, sync, client API, certificates.
 *
 * An agent refuses a policy from management that speaks a higher version: an unknown restriction
 * must not become a grant.
 *
 * @module
 */
export const PROTOCOL_VERSION = 1;
