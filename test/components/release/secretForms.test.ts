import { secretForms } from "../../../components/release/secretForms";

describe("secretForms", () => {
  it("knows a password in the forms it has in a URL and in JSON", () => {
    expect(secretForms(['p@ss"w$rd'])).toEqual(
      expect.arrayContaining(['p@ss"w$rd', "p%40ss%22w%24rd", 'p@ss\\"w$rd']),
    );
  });

  it("knows each line of a key, since logs are read line by line", () => {
    expect(secretForms(["-----BEGIN-----\nabcdef\n-----END-----"])).toEqual(
      expect.arrayContaining(["abcdef"]),
    );
  });

  it("puts the longer first, or the rest of a secret that holds another would show", () => {
    expect(secretForms(["secret", "secret-and-more"])[0]).toBe("secret-and-more");
  });

  it("knows the password inside a URL by itself, as a driver's error prints it", () => {
    expect(secretForms(["postgres://app:p%40ss%2Fword@db.example:5432/app"])).toContain("p@ss/word");
  });

  it("leaves out what is too short to be told apart from the log's own words", () => {
    expect(secretForms(["", "abc"])).toEqual([]);
  });
});
