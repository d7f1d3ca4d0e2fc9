export { AppSlot, validateAppSlotArgs, type AppSlotArgs } from "./appSlot";
export { ComposeRelease, type ComposeReleaseArgs, type RegistryLogin } from "./composeRelease";
export { appAccess, type AppAccess } from "./day2";
export { ExistingHost, validateExistingHostArgs, type ExistingHostArgs } from "./existingHost";
export type { Host } from "./host";
export { prepareHost, type PrepareHostArgs } from "./prepareHost";
export { findFailedReceipt, type FailedReceipt, type Receipt } from "./receipt";
export { RemoteScript, type RemoteScriptArgs } from "./remoteScript";
