import { readConfig } from "./config";
import { dockerApp } from "./dockerApp";

// A function, and not outputs of the module: what goes wrong in it fails the update with its message alone.
export = async (): Promise<object> => Promise.resolve({ ...dockerApp(readConfig()) });
