// SPDX-License-Identifier: EUPL-1.2
//! What is shown of a conversation that is open, in one piece.

export { Panel } from "./panel";
export { Thread } from "./thread";
