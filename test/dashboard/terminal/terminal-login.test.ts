import { expect, test } from "bun:test";
import { browserLabel, browserVersion } from "../../../src/dashboard/terminal/terminal-login.ts";
import { HostLabel } from "../../../src/wire/units.ts";

test.each([
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    ...["chrome-linux", "156.0.0.0"],
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.1",
    ...["edge-windows", "140.1"],
  ],
  ["Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0", "firefox-android", "130.0"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1",
    ...["safari-ios", "18.0"],
  ],
  ["", "browser", ""],
  ["<script>", "browser", ""],
])("a browser has a name: %s", (userAgent, label, version) => {
  expect([browserLabel(userAgent), browserVersion(userAgent)]).toEqual([label, version]);
  expect(HostLabel.safeParse(label).success).toBe(true);
});
