//! The `widetape` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    match widetape::cli::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.report();
            error.exit_code()
        }
    }
}
