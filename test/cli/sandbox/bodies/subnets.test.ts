import fc from "fast-check";
import {
  addressAt,
  candidates,
  freeAddress,
  overlaps,
  parseRange,
  routedRanges,
} from "../../../../cli/sandbox/bodies/subnets";

describe("address ranges", () => {
  it("overlap exactly when they share an address", () => {
    const range = fc.record({
      first: fc.integer({ min: 0, max: 40 }),
      size: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(range, range, (one, other) => {
        const addresses = (of: typeof one) =>
          Array.from({ length: of.size }, (_value, index) => of.first + index);
        expect(overlaps(one, other)).toBe(
          addresses(one).some((address) => addresses(other).includes(address)),
        );
      }),
    );
  });

  it("are read from a kernel's routes, without the default route", () => {
    const table = [
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT",
      "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
      "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
    ].join("\n");
    expect(routedRanges(table)).toEqual([parseRange("172.17.0.0/16")]);
  });

  it("are tried in the same order for the same name, so that a sandbox keeps its addresses", () => {
    expect(candidates("staging")).toEqual(candidates("staging"));
    expect(new Set(candidates("staging")).size).toBe(64);
  });

  it("give each machine the lowest address that nobody has", () => {
    const range = parseRange("10.110.0.0/20");
    expect(freeAddress(range, new Set(["10.110.0.10", "10.110.0.12"]))).toBe("10.110.0.11");
    expect(addressAt(range, 256)).toBe("10.110.1.0");
  });

  it.each(["10.0.0.0", "10.0.0.300/24", "10.0.0.0/40", "fd00::/64"])("refuse %j", (text) => {
    expect(() => parseRange(text)).toThrow(`${JSON.stringify(text)} is not an address range`);
  });
});
