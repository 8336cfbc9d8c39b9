-- SPDX-License-Identifier: EUPL-1.2
-- Which node holds a lease or carries out a request, so that its next process need not wait for the
-- end of what a killed one held.
ALTER TABLE job ADD COLUMN holder BLOB;
ALTER TABLE idempotency ADD COLUMN holder BLOB;
