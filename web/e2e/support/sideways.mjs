// SPDX-License-Identifier: EUPL-1.2
// What does not fit on the width of the window: the page itself, or what scrolls its lines within it.

/** Run in the page. The page can be as wide as its window and still hide the end of every line, where a part of it scrolls by itself. */
export const sideways = () => {
  const wide = (one) => one.scrollWidth > one.clientWidth + 1;
  const parts = [...document.querySelectorAll("body *")].filter((one) => {
    // A table with columns that somebody chose may be wider (WCAG 1.4.10).
    if (one.querySelector(":scope > table")) return false;
    if (!wide(one) || one.clientWidth < innerWidth / 2 || one.clientHeight < innerHeight / 2) return false;
    return ["auto", "scroll"].includes(getComputedStyle(one).overflowY);
  });
  return [document.documentElement, ...parts]
    .filter(wide)
    .map((one) => `<${one.localName} class="${one.className}"> holds ${one.scrollWidth} px on ${one.clientWidth}`);
};
