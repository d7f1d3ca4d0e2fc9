export { directCommand, directVariables } from "./directDatabase";
export type { PrefetchArgs } from "./dataVolume";
export { DnsRecord, isInZone, validateDnsRecordArgs, type DnsRecordArgs } from "./dnsRecord";
export { DockerHost } from "./dockerHost";
export { validateDockerHostArgs, type DockerHostArgs } from "./dockerHostArgs";
export { handOver, type HandOverArgs } from "./handOver";
export { generationName } from "./machineKeys";
export { accountName, commonTags } from "./names";
export type { PostgresVariables } from "./databaseAccess";
export { Postgres } from "./postgres";
export { validatePostgresArgs, type PostgresArgs, type PostgresPoolArgs } from "./postgresArgs";
export {
  PostgresDatabase,
  validatePostgresDatabaseArgs,
  type PostgresDatabaseArgs,
} from "./postgresDatabase";
export {
  ReservedIpAssignment,
  validateReservedIpAssignmentArgs,
  type ReservedIpAssignmentArgs,
} from "./reservedIpAssignment";
export { renderUserData, type UserDataArgs } from "./userData";
