//! Crates for readers of metadata stay light: what they depend on, as Cargo resolves it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::process::Command;

/// No Zarr engine, no network, no command line: whoever reads metadata does not build those.
const FORBIDDEN: &[&str] = &["zarrs", "tokio", "object_store", "clap"];

#[test]
fn metadata_crates_need_no_engine_no_network_and_no_c() {
    for (package, features) in [
        ("fairzarr-zarr", &[][..]),
        ("fairzarr-ngff", &["--no-default-features"]),
        ("fairzarr-ngff", &["--features", "ome"]),
        ("fairzarr-ome-xml", &[]),
        ("fairzarr-nbo", &[]),
        ("fairzarr-ome-zarr", &["--no-default-features"]),
        ("fairzarr", &["--no-default-features"]),
    ] {
        let dependencies = dependencies(package, features);
        assert!(dependencies.contains(&package.to_owned()), "{dependencies:?}");
        let heavy: Vec<_> = dependencies
            .iter()
            .filter(|name| {
                FORBIDDEN.contains(&name.as_str()) || name.starts_with("zarrs_") || name.ends_with("-sys")
            })
            // Rust declarations of the kernel's interface, without a C library.
            .filter(|name| *name != "linux-raw-sys")
            .collect();
        assert!(heavy.is_empty(), "{package} {features:?} depends on {heavy:?}");
    }
}

#[test]
fn ngff_without_ome_knows_no_xml() {
    let dependencies = dependencies("fairzarr-ngff", &["--no-default-features"]);
    let xml: Vec<_> = dependencies.iter().filter(|name| name.contains("xml")).collect();
    assert!(xml.is_empty(), "{xml:?}");
}

/// Names of the packages that a build of `package` alone compiles, tests left out.
fn dependencies(package: &str, features: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", package])
        .args(features)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The declared minimum has to be true also of what the project depends on.
#[test]
fn no_dependency_asks_for_a_newer_compiler_than_is_declared() {
    // Packages of other platforms are not on this machine.
    let compiler = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let compiler = String::from_utf8(compiler).unwrap();
    let host = compiler.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let version = |package: &serde_json::Value| {
        let text = package["rust_version"].as_str()?;
        let mut parts = text.split('.').map(|part| part.parse::<u32>().unwrap());
        Some((parts.next()?, parts.next().unwrap_or(0)))
    };
    let packages = metadata["packages"].as_array().unwrap();
    let own = packages.iter().find(|package| package["name"] == "fairzarr").and_then(version).unwrap();
    let newer: Vec<_> = packages
        .iter()
        .filter(|package| version(package).is_some_and(|needed| needed > own))
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    assert!(newer.is_empty(), "declared is {own:?}; newer ones are asked for by {newer:?}");
}
