/**
 * Passwords are hashed at argon2id's least cost in tests, for hundreds of them set up management and none looks
 * at the time that takes. Loaded before all tests; the product hashes as `src/management/idp/passwords.ts` says,
 * which its own test holds with `hashAsProduct`.
 */
const LEAST_COST = { algorithm: "argon2id", memoryCost: 8, timeCost: 1 } as const;

const hash = Bun.password.hash.bind(Bun.password);

/** What Bun makes of the arguments that the product gives. */
export const hashAsProduct: typeof Bun.password.hash = (password, algorithm) => hash(password, algorithm);

/** Only what the product asks for, and nothing weaker, is made quick. */
Bun.password.hash = (password, algorithm) =>
  hash(password, algorithm === "argon2id" ? LEAST_COST : algorithm);
