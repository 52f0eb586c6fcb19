//! What the crate pulls in.

use std::process::Command;

/// The names of the packages that the crate is built of, with these arguments.
fn packages(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn without_the_cloud_no_network_is_pulled_in() {
    let network = ["tokio", "reqwest", "object_store", "hyper", "rustls"];
    let has = |packages: &[String], name: &str| packages.iter().any(|package| package == name);
    let small = packages(&["--no-default-features"]);
    for name in network {
        assert!(!has(&small, name), "{name} in {small:?}");
    }
    let whole = packages(&[]);
    for name in network {
        assert!(has(&whole, name), "the test would not find {name} in {whole:?}");
    }
}
