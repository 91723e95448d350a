/** No unit test asks anybody: what it wants to be answered, it answers itself. */

import { afterEach, expect } from "vitest";

const asked: string[] = [];
globalThis.fetch = (address) => {
  asked.push(String(address));
  return Promise.reject(new TypeError("a unit test has no network"));
};

afterEach(() => {
  expect(asked.splice(0)).toEqual([]);
});
