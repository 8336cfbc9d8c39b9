// SPDX-License-Identifier: EUPL-1.2
//! Names of strangers within sentences: one that runs from right to left turns nothing around it.

const FROM_THE_RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** The text, kept to itself (UAX #9, section 2.4) where that could matter. */
export const isolated = (text: string): string => (FROM_THE_RIGHT.test(text) ? `\u2068${text}\u2069` : text);
