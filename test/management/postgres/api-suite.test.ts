import { passOnPostgres } from "../../support/postgres-suites.ts";

passOnPostgres([["the REST API", ["test/management/http/admin/*.test.ts"], 200]]);
