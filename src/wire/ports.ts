/** Ports of machines that mean SSH. Apart from `policy.ts`: who only dials needs none of its shapes. */

/** The port that means SSH to a machine in rules and on command lines. */
export const SSH_PORT = 22;
/**
 * The port at which agents listen by default. A rule that names 22 means it as well; an SSH rule may name no
 * other port (422).
 */
export const SSH_ENDPOINT_PORT = 22_022;
