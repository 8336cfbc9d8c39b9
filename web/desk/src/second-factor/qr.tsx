// SPDX-License-Identifier: EUPL-1.2
//! A QR code, drawn here: what it says leaves the browser by no other way.

import { encodeQR } from "qr";
import { useMemo } from "react";
import css from "./second-factor.module.css";

/** So many modules of white stand around it (ISO/IEC 18004). */
const QUIET = 4;

export function QrCode({ text, name }: { text: string; name: string }) {
  const { path, size } = useMemo(() => {
    const rows = encodeQR(text, "raw", { ecc: "medium", border: QUIET });
    const dark = rows.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { path: dark.join(""), size: rows.length };
  }, [text]);
  // Dark on white in both colour schemes: not every camera reads the other way round.
  return (
    <svg className={css.qr} viewBox={`0 0 ${size} ${size}`} role="img" aria-label={name} shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
