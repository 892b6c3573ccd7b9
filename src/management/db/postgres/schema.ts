/**
 * Every table as PostgreSQL has it: those of every database, and those of several processes.
 *
 * @module
 */
import { clusterTables } from "../schema/cluster.ts";
import { defineSchema, type Schema } from "../schema/schema.ts";
import { pgDialect } from "./dialect.ts";

export const pgSchema: Schema = defineSchema(pgDialect);
export const pgClusterSchema = clusterTables(pgDialect);
