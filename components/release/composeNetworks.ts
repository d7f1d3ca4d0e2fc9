import type { Problem } from "../app/problem";
import { type ComposeFile, type ComposeService, isMapping, type Mapping } from "./composeFile";
import { type ComposeRoles, networksOf } from "./composeRoles";

function isExternal(network: Mapping | undefined): boolean {
  return network?.external === true || isMapping(network?.external);
}

/** Addresses that only one container at a time can have. */
function fixedAddresses(service: ComposeService): Problem[] {
  const at = `compose: services.${service.name}`;
  const found = Object.entries(service.networks ?? {}).flatMap(([network, settings]) =>
    ["ipv4_address", "ipv6_address", "mac_address"].flatMap((key) =>
      settings[key] === undefined
        ? []
        : [{ path: `${at}.networks.${network}.${key}`, received: JSON.stringify(settings[key]) }],
    ),
  );
  const mac =
    service.raw.mac_address === undefined
      ? []
      : [{ path: `${at}.mac_address`, received: JSON.stringify(service.raw.mac_address) }];
  return [...found, ...mac].map((problem) => ({
    ...problem,
    accepted: "no fixed address: two releases run side by side",
    cure: `take it out, and reach the service as ${service.name}`,
  }));
}

function modeProblem(service: ComposeService, roles: ComposeRoles): Problem[] {
  const mode = service.networkMode;
  const stateful = roles.stateful.includes(service.name);
  if (mode === undefined || (!stateful && /^(bridge|none|service:.*|\$.*)$/.test(mode))) {
    return [];
  }
  return [
    {
      path: `compose: services.${service.name}.network_mode`,
      received: JSON.stringify(mode),
      accepted: stateful
        ? "none: both releases reach it over their networks"
        : "a network of its own project",
      cure: "take network_mode out; the edge reaches the ingress through a port of the host that no one else uses",
    },
  ];
}

function networkProblem(name: string, network: Mapping, file: ComposeFile): Problem[] {
  const at = `compose: networks.${name}`;
  if (isExternal(network)) {
    return [];
  }
  const problems: Problem[] = [];
  if (network.name !== undefined) {
    problems.push({
      path: `${at}.name`,
      received: JSON.stringify(network.name),
      accepted: "no fixed name: each release has networks of its own",
      cure: "take name out; if others have to join this network, make it yourself and say external: true",
    });
  }
  const pools = isMapping(network.ipam) ? network.ipam.config : undefined;
  if (Array.isArray(pools) && pools.length > 0) {
    problems.push({
      path: `${at}.ipam.config`,
      received: JSON.stringify(pools),
      accepted: "no fixed addresses: the networks of two releases would overlap",
      cure: "take ipam out, and let Docker choose",
    });
  }
  if (typeof network.driver === "string" && !["bridge", "default"].includes(network.driver)) {
    problems.push({
      path: `${at}.driver`,
      received: JSON.stringify(network.driver),
      accepted: "bridge, which is the default",
      cure: `take driver out${file.networks.default === network ? "" : ", or the whole network"}`,
    });
  }
  return problems;
}

/** In a network that both colours share, a service's name means the old and the new one. */
function sharedNames(name: string, network: Mapping, inColour: readonly ComposeService[]): Problem[] {
  const members = inColour.filter((service) => networksOf(service).includes(name));
  return !isExternal(network) || members.length < 2
    ? []
    : [
        {
          path: `compose: networks.${name}.external`,
          received: `a network that ${members.map((member) => member.name).join(", ")} share with the other release`,
          accepted:
            "at most one service in an external network: a name in it would mean both releases at once",
          cure: "let the services reach each other over a network of the project, without external",
        },
      ];
}

/** What the file says about networks that two releases cannot both have. */
export function networkProblems(
  file: ComposeFile,
  part: readonly ComposeService[],
  inColour: readonly ComposeService[],
  roles: ComposeRoles,
): Problem[] {
  const used = new Set(part.flatMap(networksOf));
  const undeclared = part.flatMap((service) =>
    networksOf(service).flatMap((name) =>
      name === "default" || file.networks[name] !== undefined
        ? []
        : {
            path: `compose: services.${service.name}.networks.${name}`,
            received: "a network that the file does not declare",
            accepted: `default, or one of: ${Object.keys(file.networks).join(", ") || "none"}`,
            cure: `add ${name} to the networks at the end of the file`,
          },
    ),
  );
  return [
    ...part.flatMap((service) => [...modeProblem(service, roles), ...fixedAddresses(service)]),
    ...undeclared,
    ...Object.entries(file.networks)
      .filter(([name]) => used.has(name))
      .flatMap(([name, network]) => [
        ...networkProblem(name, network, file),
        ...sharedNames(name, network, inColour),
      ]),
  ];
}
