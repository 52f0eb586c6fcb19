//! The program, run to an exit code that is expected.

use std::process::Command;

/// What the program prints on standard output, if its exit code is `code`.
#[track_caller]
pub(crate) fn fairzarr(args: &[&str], code: i32) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_fairzarr")).args(args).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}{err}");
    out
}
