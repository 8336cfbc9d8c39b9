// SPDX-License-Identifier: EUPL-1.2

import { createApi } from "@belofte/api-client";
import { currentLanguage } from "../i18n";
import { fetchEarly } from "./early";

export const newKey = () => crypto.randomUUID();

export const api = createApi({ language: currentLanguage, newKey, fetch: fetchEarly });
