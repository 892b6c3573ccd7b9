/**
 * Every table in PostgreSQL's dialect: the shared schema, and the tables of the cluster.
 *
 * @module
 */
import { clusterTables } from "../schema/cluster.ts";
import { defineSchema, type Schema } from "../schema/schema.ts";
import { pgDialect } from "./dialect.ts";

export const pgSchema: Schema = defineSchema(pgDialect);
export const pgClusterSchema = clusterTables(pgDialect);
