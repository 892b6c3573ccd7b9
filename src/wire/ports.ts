/** Ports of machines that mean SSH. Apart from `policy.ts`: who only dials needs none of its shapes. */

/** What ports an SSH rule may name; anything else is refused with 422. */
export const SSH_PORT = 22;
export const SSH_ENDPOINT_PORT = 22_022;
