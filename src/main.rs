//! tagih: parse, call the library, exit with its code.

use std::process::ExitCode;

/// With the system's allocator two parsing threads are slower than one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tagih::private::close_umask();
    tagih::private::hide_memory();
    ExitCode::from(tagih::cli::main().code())
}
