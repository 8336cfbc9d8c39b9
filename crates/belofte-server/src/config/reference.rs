// SPDX-License-Identifier: EUPL-1.2
//! The reference page of the configuration, printed from the settings themselves.

use std::fmt::Write as _;

use super::Config;
use super::read::VARIABLE_PREFIX;

/// The page `docs/operate/configuration.md`.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "<!-- SPDX-License-Identifier: EUPL-1.2 -->\n\
         <!-- Generated: belofte config reference > docs/operate/configuration.md -->\n\
         # Configuration\n\n\
         One TOML file: `belofte.toml` in the data folder, or the file that `--config` names. The data \
         folder is `data.folder`, else the variable `BELOFTE_DATA`, else `data` in the working folder. \
         Without a file everything has its default.\n\n\
         Every key can also be set by an environment variable, which then overrides the file: \
         `BELOFTE__SERVER__LISTEN` is `server.listen`. Members of a list are parted by commas there. A \
         secret can instead stand in a file of its own, named by the key with `_file` behind it; an \
         end of line at its end is left out. Paths in the file are relative to its folder, paths in \
         variables to the working folder.\n\n\
         `belofte config check` tells everything that does not hold, each with its line, and starts \
         nothing. A key that does not exist is an error.\n",
    );
    for section in Config::describe() {
        let _ = write!(page, "\n## `[{}]`\n\n{}\n", section.path, section.text);
        for key in &section.keys {
            let name = key.path.rsplit('.').next().unwrap_or(key.path);
            let variable = format!("{VARIABLE_PREFIX}{}", key.path.replace('.', "__").to_uppercase());
            let default =
                if key.default.is_empty() { "none".to_owned() } else { format!("`{}`", key.default) };
            let _ = write!(
                page,
                "\n### `{name}`\n\n{}\n\n- Is: {}\n- Default: {default}\n- Variable: `{variable}`\n",
                key.text, key.kind
            );
            if key.kind.starts_with("a secret") {
                let _ = writeln!(page, "- Or in a file: `{name}_file`, `{variable}_FILE`");
            }
        }
    }
    page
}
