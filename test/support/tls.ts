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

/** Writes both into `folder`. */
export function writeTlsFiles(folder: string): { tlsCert: string; tlsKey: string } {
  const tlsCert = join(folder, "cert.pem");
  const tlsKey = join(folder, "key.pem");
  writeFileSync(tlsCert, CERTIFICATE);
  writeFileSync(tlsKey, KEY, { mode: 0o600 });
  return { tlsCert, tlsKey };
}
