export * from "./app";
export * from "./release";
