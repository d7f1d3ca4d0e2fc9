import {
  externalImages,
  replaceImages,
  withoutBuildKit,
  withoutSyntax,
} from "../../../../cli/sandbox/bodies/dockerfile";
import { standInKind } from "../../../../cli/sandbox/bodies/imageBuild";

const multiStage = `# syntax=docker/dockerfile:1
ARG PYTHON=3.12
ARG BASE="python:\${PYTHON}-slim"
FROM --platform=$BUILDPLATFORM \${BASE} AS builder
RUN --mount=type=cache,target=/root/.cache pip wheel .
# FROM commented:1
COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /bin/uv
FROM $BASE
COPY --link --from=builder /wheels /wheels
COPY --from=0 /etc/passwd \\
  /etc/
FROM builder AS test
FROM scratch
`;

describe("images that a Dockerfile takes from outside", () => {
  it("are those of FROM and COPY --from, with arguments filled in, without stages and scratch", () => {
    expect(externalImages(multiStage, {})).toEqual([
      { image: "python:3.12-slim", line: 4 },
      { image: "ghcr.io/astral-sh/uv:0.9", line: 7 },
    ]);
  });

  it("follow a build argument", () => {
    expect(externalImages(multiStage, { PYTHON: "3.14" })[0]?.image).toBe("python:3.14-slim");
  });

  it.each([
    ["FROM ${A:-python:3}", "python:3"],
    ["ARG A=nginx:1\nFROM ${A:-python:3}", "nginx:1"],
    ["ARG T\nFROM nginx${T:+:$T}", "nginx"],
    ["from python:3 as x\nRUN --mount=type=bind,from=X,target=/x true", "python:3"],
  ])("are found in %j", (text, image) => {
    expect(externalImages(text, {}).map((found) => found.image)).toEqual([image]);
  });

  it("are replaced, and nothing else is", () => {
    const text = replaceImages(multiStage, {}, new Map([["python:3.12-slim", "stand-in:1"]]));
    const changed = text
      .split("\n")
      .flatMap((line, index) => (line === multiStage.split("\n")[index] ? [] : [line]));
    expect(changed).toEqual(["FROM --platform=$BUILDPLATFORM stand-in:1 AS builder", "FROM stand-in:1"]);
  });

  it("have a stand-in when they are python, nginx, postgres, redis or debian, under any mirror's name", () => {
    const images = [
      "python:3.13-alpine",
      "mirror.example:5000/library/nginx@sha256:00",
      "debian",
      "docker.io/library/postgres:16-alpine",
      "redis:7",
      "node:22",
      "my-python",
    ];
    expect(images.map(standInKind)).toEqual([
      "python",
      "nginx",
      "base",
      "postgres",
      "redis",
      undefined,
      undefined,
    ]);
  });
});

describe("a Dockerfile for an older builder", () => {
  it("loses its syntax line, --link and cache mounts, and says what slows it down", () => {
    const { text, left } = withoutBuildKit(multiStage);
    expect(text).not.toMatch(/syntax=|--link|type=cache/);
    expect(text).toContain("RUN pip wheel .");
    expect(text).toContain("COPY --from=builder /wheels /wheels");
    expect(left).toEqual(["cache mounts"]);
  });

  it("keeps its cache mounts where the builder knows them", () => {
    expect(withoutSyntax(multiStage)).toContain("--mount=type=cache");
  });
});
