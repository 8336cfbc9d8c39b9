// SPDX-License-Identifier: EUPL-1.2

import type { TagRef } from "@belofte/api-client";
import { Link } from "@tanstack/react-router";
import { useWords } from "../i18n";
import css from "./tag-chips.module.css";
import { tagView } from "./views";

/** The mark of a tag. It helps the eye; the name always stands beside it. */
export function TagMark({ colour }: { colour: TagRef["colour"] }) {
  return <span className={css.mark} data-colour={colour} aria-hidden="true" />;
}

function Chip({ tag }: { tag: TagRef }) {
  return (
    <>
      <TagMark colour={tag.colour} />
      <span className={css.name}>{tag.name}</span>
    </>
  );
}

/** The tags of a row: as many as are named, and how many more there are. */
export function RowTags({ tags, most }: { tags: TagRef[]; most: number }) {
  const { t } = useWords();
  if (tags.length === 0) return null;
  const more = tags.slice(most);
  return (
    <span className={css.row}>
      <span className="sr-only">{t("tags.of_row", { tags: tags.map((tag) => tag.name).join(", ") })}</span>
      {tags.slice(0, most).map((tag) => (
        <span key={tag.id} className={css.chip} title={tag.name} aria-hidden="true">
          <Chip tag={tag} />
        </span>
      ))}
      {more.length > 0 && (
        <span className={css.more} title={more.map((tag) => tag.name).join(", ")} aria-hidden="true">
          +{more.length}
        </span>
      )}
    </span>
  );
}

/** The tags of the open conversation; each leads to all that have it. */
export function HeaderTags({ tags }: { tags: TagRef[] }) {
  const { t } = useWords();
  if (tags.length === 0) return null;
  return (
    <ul className={css.list} aria-label={t("tags.name")}>
      {tags.map((tag) => (
        <li key={tag.id}>
          <Link
            to="/inbox/$view"
            params={{ view: tagView(tag.id) }}
            className={css.chip}
            title={t("tags.show", { tag: tag.name })}
          >
            <Chip tag={tag} />
          </Link>
        </li>
      ))}
    </ul>
  );
}
