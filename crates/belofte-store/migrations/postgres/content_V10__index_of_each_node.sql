-- SPDX-License-Identifier: EUPL-1.2
-- Each node keeps the search index and the lexicon in files of its own, made from the content (decision 17):
-- this database holds no tokens of words.
DROP TABLE message_index;
DROP TABLE lexicon;
