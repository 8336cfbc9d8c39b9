// SPDX-License-Identifier: EUPL-1.2
//! The program `belofte`: everything is in the library, where tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    belofte_server::cli::run()
}
