/**
 * Hashes passwords at argon2id's least cost in test processes: hundreds of tests set up management, and none
 * of them looks at what a hash costs.
 *
 * Loaded before all tests (`bunfig.toml`). The product's own cost is what `hashAsProduct` gives, and the
 * executable knows nothing of this.
 */
const LEAST_COST = { algorithm: "argon2id", memoryCost: 8, timeCost: 1 } as const;

const hash = Bun.password.hash.bind(Bun.password);

/** What Bun makes of the arguments that the product gives. */
export const hashAsProduct: typeof Bun.password.hash = (password, algorithm) => hash(password, algorithm);

/** Anything but what the product asks for is left as it is. */
Bun.password.hash = (password, algorithm) =>
  hash(password, algorithm === "argon2id" ? LEAST_COST : algorithm);
