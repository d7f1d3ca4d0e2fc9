import * as pulumi from "@pulumi/pulumi";
import { refuseProblems } from "../app/problem";
import { parsePublicKey, validateAuthorizedKey } from "./hostKey";

/** The deploy key, those of its other generations and the given ones, checked once their values are known. */
export function checkAuthorizedKeys(
  component: string,
  deployKey: pulumi.Input<string>,
  keys: readonly pulumi.Input<string>[],
  alsoLetIn: readonly pulumi.Input<string>[] = [],
): pulumi.Output<string[]> {
  return pulumi
    .all([deployKey, pulumi.all([...alsoLetIn]), pulumi.all([...keys])])
    .apply(([own, made, given]) => {
      refuseProblems(
        component,
        given.flatMap((key, index) => validateAuthorizedKey(`authorizedKeys[${index}]`, key)),
      );
      // The deploy key may be among the others too: that is how it is changed.
      const line = (key: string): string => parsePublicKey(key).line;
      return [own, ...[...made, ...given].filter((key) => line(key) !== line(own)).map((key) => key.trim())];
    });
}
