import * as fc from "fast-check";
import {
  activeLogin,
  closedLogin,
  passwordGeneration,
  renderVariables,
  scramVerifier,
} from "../../../components/digitalocean/databaseRoles";

test("a generation gives a new password to its active login only", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 1_000_000 }), (generation) => {
      const active = activeLogin(generation);
      const idle = active === "a" ? "b" : "a";
      expect(passwordGeneration(active, generation)).toBe(generation);
      expect(passwordGeneration(idle, generation)).toBe(passwordGeneration(idle, generation - 1));
    }),
  );
});

test("only a login that waits is ever closed, and only when its password is old enough", () => {
  expect(closedLogin(2, 1)).toBe("a");
  expect(closedLogin(3, 2)).toBe("b");
  // What the release before uses stays open while the next change is on its way.
  expect(closedLogin(3, 1)).toBeUndefined();
  expect(closedLogin(1, 0)).toBeUndefined();
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 0, max: 1000 }),
      (generation, closed) => {
        expect(closedLogin(generation, Math.min(closed, generation - 1))).not.toBe(activeLogin(generation));
      },
    ),
  );
});

test("the same password gives the same text, another role or password another one", () => {
  const verifier = scramVerifier("shop_a", "secret");
  expect(verifier).toMatch(
    /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/,
  );
  expect(scramVerifier("shop_a", "secret")).toBe(verifier);
  expect(scramVerifier("shop_b", "secret")).not.toBe(verifier);
  expect(scramVerifier("shop_a", "Secret")).not.toBe(verifier);
});

test("variables as psql reads them", () => {
  expect(renderVariables({ owner: "shop_owner", extensions: "" })).toBe(
    "\\set owner 'shop_owner'\n\\set extensions ''\n",
  );
});
