//! The house is as README.md and ARCHITECTURE.md draw it, and the engines stay in their rooms.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

type Graph = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The packages of the house, each with its direct dependencies, tests apart.
fn packages() -> Graph {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1", "--locked"]))
            .unwrap();
    let mut graph = Graph::new();
    for package in metadata["packages"].as_array().unwrap() {
        if !package["manifest_path"].as_str().unwrap().contains("/crates/") {
            continue;
        }
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let dependencies = dependencies.filter(|dependency| dependency["kind"].is_null());
        let names = dependencies.map(|dependency| short(dependency["name"].as_str().unwrap()));
        graph.insert(short(package["name"].as_str().unwrap()), names.collect());
    }
    graph
}

/// A room's name without the project's prefix, which the program keeps to be told from the library.
fn short(package: &str) -> String {
    match package {
        "fairzarr-cli" => package.into(),
        other => other.strip_prefix("fairzarr-").unwrap_or(other).into(),
    }
}

/// The arrows of the mermaid graph in a document.
fn drawn(document: &str) -> Graph {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let picture = text.split("```mermaid").nth(1).unwrap().split("```").next().unwrap();
    let mut graph = Graph::new();
    for (from, to) in picture.lines().filter_map(|line| line.split_once("-->")) {
        for from in from.split('&') {
            let to = to.split('&').map(|name| name.trim().to_owned());
            graph.entry(from.trim().to_owned()).or_default().extend(to);
        }
    }
    graph
}

/// All rooms below a room.
fn below(graph: &Graph, room: &str, found: &mut BTreeSet<String>) {
    for next in graph.get(room).into_iter().flatten() {
        if found.insert(next.clone()) {
            below(graph, next, found);
        }
    }
}

#[test]
fn the_pictures_are_true() {
    let packages = packages();
    let rooms: BTreeSet<&String> = packages.keys().collect();
    let real: Graph = packages
        .iter()
        .map(|(room, all)| (room.clone(), all.iter().filter(|name| rooms.contains(name)).cloned().collect()))
        .collect();
    for document in ["README.md", "ARCHITECTURE.md"] {
        let drawn = drawn(document);
        for room in &rooms {
            let (mut in_picture, mut in_code) = (BTreeSet::new(), BTreeSet::new());
            below(&drawn, room, &mut in_picture);
            below(&real, room, &mut in_code);
            assert_eq!(in_picture, in_code, "{document}: what stands below {room}");
        }
    }
}

#[test]
fn engines_stay_in_their_rooms() {
    let packages = packages();
    for (engine, rooms) in [
        ("zarrs", &["ome-zarr"][..]),
        ("tokio", &["store"]),
        ("object_store", &["store"]),
        ("rayon", &["task"]),
        ("clap", &["fairzarr-cli"]),
        ("indicatif", &["fairzarr-cli"]),
        ("anyhow", &["fairzarr-cli"]),
    ] {
        let users: Vec<&str> = packages
            .iter()
            .filter(|(_, dependencies)| dependencies.contains(engine))
            .map(|(room, _)| room.as_str())
            .collect();
        assert_eq!(users, rooms, "who uses {engine}");
    }
    for (room, unknown) in
        [("ome-tiff", ["ngff", "nbo"]), ("ngff", ["ome-tiff", "nbo"]), ("nbo", ["ome-tiff", "ngff"])]
    {
        for unknown in unknown {
            assert!(!packages[room].contains(unknown), "{room} knows {unknown}");
        }
    }
}
