import { expect, test } from "bun:test";
import {
  Binding,
  CERTIFICATE_BACKDATE_SECONDS,
  CERTIFICATE_BYTES_MAX,
  CERTIFICATE_LIFETIME_SECONDS,
  CertificateIdentity,
  ID_TOKEN_BYTES_MAX,
  ManagementTokenClaims,
  PRINCIPALS_MAX,
} from "../../src/wire/certificate.ts";
import { LOCAL_USER_BYTES_MAX } from "../../src/wire/units.ts";
import { testShape } from "../support/shapes.ts";

const id = (letter: string): string => letter.repeat(20);

testShape(
  "an identity",
  CertificateIdentity,
  {
    issuer: "https://idp.example.com",
    subject: "ann",
    userId: id("u"),
    devicePeerId: id("d"),
    authTimeSeconds: null,
    binding: "idp",
    mapVersion: 0,
  },
  {
    changes: [
      { subject: "" },
      { subject: "s".repeat(513) },
      { userId: "u" },
      { devicePeerId: null },
      { authTimeSeconds: 1.5 },
      { authTimeSeconds: undefined },
      { binding: "password" },
      { mapVersion: -1 },
    ],
  },
);

testShape(
  "claims of management's token",
  ManagementTokenClaims,
  {
    iss: "https://qf.example.com",
    sub: id("u"),
    aud: id("m"),
    cnf: { jkt: "k".repeat(43) },
    iat: 1,
    exp: 2,
    jti: id("j"),
    binding: "service",
  },
  {
    strict: false,
    changes: [
      { aud: [id("m")] },
      { cnf: undefined },
      { cnf: { jkt: "k".repeat(42) } },
      { cnf: { jkt: "k".repeat(43), jwk: {} } },
      { iss: "qf" },
      { exp: "2" },
    ],
  },
);

test("a login is proven in one of four ways", () => {
  expect(["idp", "ca", "service", "device"].every((binding) => Binding.safeParse(binding).success)).toBe(
    true,
  );
  expect(Binding.safeParse("").success).toBe(false);
});

test("the longest ID token and the most principals fit into the longest certificate that is read", () => {
  const principals = PRINCIPALS_MAX * (4 + LOCAL_USER_BYTES_MAX);
  expect(ID_TOKEN_BYTES_MAX + principals + 4_096).toBeLessThan(CERTIFICATE_BYTES_MAX);
});

test("a certificate governs a start and not a working day", () => {
  expect(CERTIFICATE_BACKDATE_SECONDS + CERTIFICATE_LIFETIME_SECONDS).toBeLessThanOrEqual(300);
});
