/** Several values by one key. */

/** One more of a key; in place, so that it costs the same however many there are. */
export function append<Key, Each>(map: Map<Key, Each[]>, key: Key, each: Each): void {
  const found = map.get(key);
  if (found) found.push(each);
  else map.set(key, [each]);
}
