//! The program `remuda`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("remuda: the runtime does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(server::cli::run())
}
