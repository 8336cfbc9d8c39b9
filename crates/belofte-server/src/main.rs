// SPDX-License-Identifier: EUPL-1.2
//! The program `belofte`: everything is in the library, where tests reach it.

use std::process::ExitCode;

/// Many small values live for one request and are freed on another thread: the system's allocator spends
/// a tenth of the processor on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    belofte_server::cli::run()
}
