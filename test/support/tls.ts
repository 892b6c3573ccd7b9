/** A certificate for localhost and 127.0.0.1 that signs itself. Worth nothing outside of tests. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUcCpdqpRpy6ctszzKQRNQCYjXibUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMDIyNTI1MVoYDzIxMjYxMDI3
MjI1MjUxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQoSy+WRjKlgyACnEUYWyqJZ3NC4pjTFNCE3UQypewVKO/Y5NsLFwfx
SO+0tWjHsCalLX3KqUvbkgsTNR0xA4P/o28wbTAdBgNVHQ4EFgQUMsOb09sQei5G
AOUIS604CdlFv4kwHwYDVR0jBBgwFoAUMsOb09sQei5GAOUIS604CdlFv4kwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgUITCcphYq62SCNNmbeGtnBjwjZ9YFRZgCO5iYeIE8xMCIQDG
BeNshg4Uz1dHo0a5rU/FlNg/gbrZ9N0b4fFKNvSAag==
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwLCYYMeqA6KkpFpx
I7V1aokm5+13D5o1pFn7RxuPjcKhRANCAAQoSy+WRjKlgyACnEUYWyqJZ3NC4pjT
FNCE3UQypewVKO/Y5NsLFwfxSO+0tWjHsCalLX3KqUvbkgsTNR0xA4P/
-----END PRIVATE KEY-----
`;

/** Another pair for the same names, as a renewal gives. */
export const RENEWED = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUeGecCRx88nCeIqfgkpJbdVm4qTUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEzMDAyNDI1NFoYDzIxMjYxMTA2
MDI0MjU0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASaTvNRXXaeegzqWaWCYamJF4NdfvHdwzEioG77nG66+nZ65KkEm5sy
zRNaI5D3d0eFAoQpFSNY9x2Hae6EjFBco28wbTAdBgNVHQ4EFgQUmtq1+TxVXmrJ
TBNKGvyraXsiOqIwHwYDVR0jBBgwFoAUmtq1+TxVXmrJTBNKGvyraXsiOqIwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgaHZb8oLGXFc29qAuF3vuqfIsWQNZEF/MQU711O7/QfYCIQDE
Bb3YNP9afBGZInQY/vhtxc3ChuY0gUvEc/z5EKDgQQ==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEx1zDiVuAuAPJmhF
VBmgwe/dEeqZZTnpI+MyUQUXKOmhRANCAASaTvNRXXaeegzqWaWCYamJF4NdfvHd
wzEioG77nG66+nZ65KkEm5syzRNaI5D3d0eFAoQpFSNY9x2Hae6EjFBc
-----END PRIVATE KEY-----
`,
};

/** Writes both into `folder`. */
export function writeTlsFiles(folder: string): { tlsCert: string; tlsKey: string } {
  const tlsCert = join(folder, "cert.pem");
  const tlsKey = join(folder, "key.pem");
  writeFileSync(tlsCert, CERTIFICATE);
  writeFileSync(tlsKey, KEY, { mode: 0o600 });
  return { tlsCert, tlsKey };
}
