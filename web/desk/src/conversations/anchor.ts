// SPDX-License-Identifier: EUPL-1.2

/** Height of a row in pixels; never another one. */
export const ROW = 64;

/**
 * How far to scroll so that what is read stays where it is when the rows
 * change. The first row in sight that is still there decides.
 */
export function anchorShift(
  old: readonly { id: string }[],
  next: readonly { id: string }[],
  scrollTop: number,
): number {
  const places = new Map(next.map((row, index) => [row.id, index]));
  for (let index = Math.floor(scrollTop / ROW); index < old.length; index += 1) {
    const row = old[index];
    const place = row ? places.get(row.id) : undefined;
    if (place === undefined) continue;
    const shift = (place - index) * ROW;
    // A row that itself went to the top is no measure for the others.
    if (place === 0 && index > 0) continue;
    return shift;
  }
  return 0;
}
