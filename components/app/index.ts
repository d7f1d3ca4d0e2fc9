export {
  resolveApp,
  type App,
  type AppAdoption,
  type AppCommand,
  type AppHealth,
  type AppIngress,
  type AppLimits,
  type ResolvedApp,
} from "./app";
export { dotenvProblems, encodeDotenv } from "./dotenv";
export {
  classicEnvironment,
  databaseCaFile,
  databaseUrl,
  databaseVariables,
  imageVariable,
  repositoryOf,
  type ClassicEnvironmentArgs,
  type DatabaseConnection,
  type DatabaseContract,
  type DatabaseField,
  type DatabaseVariables,
} from "./environment";
export { formatProblems, ProblemsError, refuseProblems, type Problem } from "./problem";
export { validateApp } from "./validateApp";
