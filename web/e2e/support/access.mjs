// SPDX-License-Identifier: EUPL-1.2
// What axe finds on a view, what only a mouse can reach and what does not fit, in both sizes and both colour schemes.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { sideways } from "./sideways.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** Each view has its own landmarks and headings; these rules speak of whole sites or of taste. */
const NOT = ["region", "heading-order", "page-has-heading-one", "landmark-one-main"];

export const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

/** What looks as if it could be pressed and cannot be reached without a mouse. */
const mouseOnly = () => {
  const reached = "a[href], button, input, select, textarea, label, summary, [tabindex], [contenteditable], [role=option]";
  const clickable = [...document.querySelectorAll("body *")].filter((one) => {
    if (getComputedStyle(one).cursor !== "pointer" || one.closest(reached)) return false;
    const { width, height } = one.getBoundingClientRect();
    return width > 0 && height > 0;
  });
  return clickable.map((one) => one.outerHTML.slice(0, 120));
};

/**
 * Gathers the findings of the page as it stands; each names its view, rule and first element. `float` is the role of what
 * floats over the page: a target that it covers in part is none before it is closed, so its size is not asked there.
 */
export async function findings(page, name, sizes = SIZES, float = undefined) {
  const found = [];
  for (const size of sizes) {
    await page.setViewportSize(size);
    for (const scheme of ["light", "dark"]) {
      await page.evaluate((wanted) => document.documentElement.setAttribute("data-mantine-color-scheme", wanted), scheme);
      if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
      // What fades in has no colour of its own yet.
      await page.evaluate(async () => {
        await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
        await Promise.all(document.getAnimations().map((one) => one.finished.catch(() => undefined)));
      });
      const { violations } = await page.evaluate(
        async ([tags, not, dark, within]) => {
          const { violations: all } = await globalThis.axe.run(document, {
            iframes: false,
            resultTypes: ["violations"],
            // Colours are all that the dark scheme changes.
            ...(dark
              ? { runOnly: { type: "rule", values: ["color-contrast"] } }
              : { runOnly: tags, rules: Object.fromEntries(not.map((rule) => [rule, { enabled: false }])) }),
          });
          const above = within && document.querySelector(within);
          const covered = ({ target }) => {
            const [one, other] = [document.querySelector(target[0]), above].map((element) => element.getBoundingClientRect());
            return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
          };
          const beneath = (node) => above && !above.contains(document.querySelector(node.target[0])) && covered(node);
          const left = all.map((one) => (one.id === "target-size" ? { ...one, nodes: one.nodes.filter((node) => !beneath(node)) } : one));
          return { violations: left.filter((one) => one.nodes.length > 0) };
        },
        [TAGS, NOT, scheme === "dark", float && `[role="${float}"]`],
      );
      const where = `${name}, ${size.width} px, ${scheme}`;
      if (scheme === "light") {
        for (const one of await page.evaluate(mouseOnly)) found.push(`${where}: by mouse alone: ${one}`);
        for (const one of await page.evaluate(sideways)) found.push(`${where}: too wide: ${one}`);
      }
      for (const one of violations) {
        const [node] = one.nodes;
        found.push(`${where}: ${one.id}: ${node.target.join(" ")} ${node.any[0]?.message ?? ""} ${node.html.slice(0, 300)}`);
      }
    }
  }
  return found;
}
