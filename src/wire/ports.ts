/** Machine ports that mean SSH. Separate from `policy.ts`, whose schemas a dialler does not need. */

/** The port that means SSH to a machine in rules and on command lines. */
export const SSH_PORT = 22;
/**
 * The port at which agents listen by default. A rule that names 22 means it as well; an SSH rule may name no
 * other port (422).
 */
export const SSH_ENDPOINT_PORT = 22_022;
