// SPDX-License-Identifier: EUPL-1.2

import { createContext, useContext } from "react";
import type { Overlay } from "./desk";

export const OverlayContext = createContext<(overlay: Overlay) => void>(() => undefined);
export const useOverlay = () => useContext(OverlayContext);
