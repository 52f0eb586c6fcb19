//! `fairzarr catalog`: the tables, the questions of `docs/catalog.md`, and what a second run does.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod pages;
#[path = "../../nbo/tests/support/plate.rs"]
mod plate;
mod program;

use pages::tiff;
use plate::Plate;
use program::fairzarr;
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Three stores below `archive`: of an oil objective with a recent and with an old calibration, and one of which nothing is known but
/// its microscope and another objective.
fn archive(folder: &Path) -> PathBuf {
    let plate = Plate { wells: 1, fields: 2 };
    let oil = plate
        .ome()
        .replace(r#"Correction="PlanApo" Immersion="Air" LensNA="0.15" NominalMagnification="10""#, r#"Correction="PlanApo" Immersion="Oil" LensNA="1.4" NominalMagnification="63""#)
        .replace("ExposureTime=\"0.0", "ExposureTime=\"0.1")
        .replace(
            "</OME>",
            r#"<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="lab"><Value><M K="strain">W303</M><M K="note">a, "b"</M></Value></MapAnnotation></StructuredAnnotations>
            <ROI ID="ROI:0" Name="cell"><Union><Rectangle ID="Shape:0" X="0" Y="0" Width="1" Height="1"/><Point ID="Shape:1" X="0" Y="0"/></Union></ROI></OME>"#,
        );
    let oil = oil.replacen(
        "</Pixels></Image>",
        r#"</Pixels><ROIRef ID="ROI:0"/><AnnotationRef ID="Annotation:0"/></Image>"#,
        1,
    );
    let (source, said) = (folder.join("plate.ome.tiff"), folder.join("plate.xml"));
    let archive = folder.join("archive");
    std::fs::create_dir_all(archive.join("2024")).unwrap();
    let late = |text: &str| text.replace("2024-03-14", "2024-09-14");
    for (name, ome, nbo) in [
        ("2024/recent.zarr", oil.clone(), Some(plate.nbo())),
        ("2024/old.zarr", late(&oil), Some(late(&plate.nbo()))),
        ("plain.zarr", plate.ome(), None),
    ] {
        tiff(&source, &ome, 4 * plate.images());
        let store = archive.join(name);
        let mut args = vec!["convert", text(&source), text(&store), "--durability", "none"];
        if let Some(nbo) = nbo {
            std::fs::write(&said, nbo).unwrap();
            args.extend(["--nbo", text(&said)]);
        }
        fairzarr(&args, 0);
    }
    archive
}

fn rows(db: &Connection, query: &str) -> Vec<Vec<String>> {
    let mut statement = db.prepare(query).unwrap_or_else(|error| panic!("{error}: {query}"));
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns)
            .map(|n| {
                row.get_ref(n).map(|value| match value {
                    rusqlite::types::ValueRef::Null => "-".to_owned(),
                    rusqlite::types::ValueRef::Integer(n) => n.to_string(),
                    rusqlite::types::ValueRef::Real(n) => n.to_string(),
                    rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
                        String::from_utf8_lossy(bytes).into_owned()
                    }
                })
            })
            .collect::<Result<Vec<_>, _>>()
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn documentation() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/catalog.md")).unwrap()
}

/// The questions of the documentation, in its order.
fn questions() -> Vec<String> {
    let text = documentation();
    text.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_ten_questions_have_their_answers_and_the_first_is_that_of_qc() {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(folder.path());
    let file = folder.path().join("a.sqlite");
    fairzarr(&["catalog", text(&archive), "--to", text(&file), "--planes"], 0);
    let db = Connection::open(&file).unwrap();
    let place = |name: &str| text(&archive.join(name)).to_owned();
    let questions = questions();
    assert_eq!(questions.len(), 10);
    let answer = |n: usize| rows(&db, &questions[n]);
    let [recent, old, plain] = ["2024/recent.zarr", "2024/old.zarr", "plain.zarr"].map(place);
    assert_eq!(answer(0), [[recent.as_str(), "A/1/0", "w0", "42"], [recent.as_str(), "A/1/1", "w1", "42"]]);
    for (store, code) in [(&recent, 0), (&old, 1), (&plain, 1)] {
        fairzarr(&["qc", store, "--require", "OpticalCalibration within 90 days"], code);
    }
    assert_eq!(answer(1), [["Example Optics | Stand 7 | S-1", "6"]]);
    assert!(answer(2).is_empty());
    assert_eq!(answer(3).len(), 6);
    assert_eq!(answer(3)[0], ["w0", "GFP", "525", "C1"]);
    assert_eq!(answer(4), [["Example Optics | Stand 7 | S-1", "2024-02-01", "228.5", "nm"]]);
    let coarse = answer(5);
    assert_eq!(coarse.len(), 4, "{coarse:?}");
    assert!(coarse.iter().all(|row| row[1] == "0.325" && row[2].starts_with("0.082")), "{coarse:?}");
    let kinds = answer(6);
    assert!(
        kinds.contains(&["OpticalCalibration", "pass", "4", "42", "226"].map(str::to_owned).to_vec()),
        "{kinds:?}"
    );
    // The two plates have the same OME-XML but for its dates, and other documents too.
    assert!(answer(7).is_empty());
    let guessed = answer(8);
    assert!(
        guessed.contains(&vec![recent.clone(), "O1".into(), "immersion".into(), "Oil".into()]),
        "{guessed:?}"
    );
    assert_eq!(answer(9), [["uint8", "6", "96"]]);
    assert_eq!(
        rows(
            &db,
            "SELECT a.key, a.value, i.name FROM annotations a JOIN images i ON i.image_id = a.image_id JOIN stores s ON s.store_id = i.store_id WHERE s.location LIKE '%recent%' ORDER BY a.key"
        ),
        [["note", "a, \"b\"", "w0"], ["strain", "W303", "w0"]]
    );
    assert_eq!(
        rows(&db, "SELECT DISTINCT name, shapes, shape_kinds FROM rois"),
        [["cell", "2", "Point, Rectangle"]]
    );
    assert_eq!(
        rows(
            &db,
            "SELECT p.exposure_ms, p.position_x_um, p.c FROM planes p JOIN images i ON i.image_id = p.image_id JOIN stores s ON s.store_id = i.store_id WHERE s.location LIKE '%recent%' AND i.name = 'w1' AND p.c = 1"
        ),
        [["125", "1.25", "1"]]
    );
}

#[test]
fn the_dictionary_has_every_column_of_every_table() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.sqlite");
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    fairzarr(&["catalog", text(&folder.path().join("empty")), "--to", text(&file)], 0);
    let db = Connection::open(&file).unwrap();
    let text = documentation();
    for table in rows(&db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
        let line = text.lines().find(|line| {
            line.starts_with('|') && line.split('|').nth(1).unwrap().contains(&format!("`{}`", table[0]))
        });
        let line = line.unwrap_or_else(|| panic!("{table:?} is not in docs/catalog.md"));
        for column in rows(&db, &format!("SELECT name FROM pragma_table_info('{}')", table[0])) {
            assert!(
                line.contains(&format!("`{}`", column[0])),
                "{}.{} is not in docs/catalog.md",
                table[0],
                column[0]
            );
        }
    }
}

fn report(args: &[&str], code: i32) -> Value {
    serde_json::from_str(&fairzarr(&[&["catalog", "--json"], args].concat(), code)).unwrap()
}

#[test]
fn a_second_run_reads_what_has_changed_and_forgets_what_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(folder.path());
    let file = folder.path().join("a.sqlite");
    let run = |code| report(&[text(&archive), "--to", text(&file)], code);
    let count = |of: &Value| ["read", "unchanged", "removed"].map(|name| of[name].as_u64().unwrap());
    assert_eq!(count(&run(0)), [3, 0, 0]);
    assert_eq!(count(&run(0)), [0, 3, 0]);
    // What is embedded changes the manifest.
    let microscope = Path::new(env!("CARGO_MANIFEST_DIR")).join("../nbo/tests/data/abif_axiovert1_.json");
    fairzarr(&["embed", text(&archive.join("plain.zarr")), "--nbo", text(&microscope)], 0);
    assert_eq!(count(&run(0)), [1, 2, 0]);
    std::fs::remove_dir_all(archive.join("2024/old.zarr")).unwrap();
    assert_eq!(count(&run(0)), [0, 2, 1]);
    // One that is damaged stays as it was known, stops no other, and is named.
    std::fs::write(archive.join("2024/recent.zarr/zarr.json"), "{").unwrap();
    let told = run(7);
    assert_eq!(count(&told), [0, 1, 0]);
    assert!(told["failed"][0]["location"].as_str().unwrap().ends_with("recent.zarr"), "{told}");
    let db = Connection::open(&file).unwrap();
    assert_eq!(rows(&db, "SELECT count(*) FROM images"), [["4"]]);
    assert_eq!(rows(&db, "SELECT count(*) FROM problems"), [["1"]]);
    assert!(rows(&db, "PRAGMA foreign_key_check").is_empty());
}

#[test]
fn a_directory_takes_every_table_as_csv_and_other_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(folder.path());
    let tables = folder.path().join("tables");
    fairzarr(&["catalog", text(&archive), "--to", text(&tables)], 0);
    let files: BTreeSet<String> = std::fs::read_dir(&tables)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(files.contains("catalog.sqlite") && files.contains("images.csv"), "{files:?}");
    assert!(files.iter().all(|name| !name.starts_with('.')), "{files:?}");
    let images = std::fs::read_to_string(tables.join("images.csv")).unwrap();
    assert_eq!(images.lines().count(), 7);
    let annotations = std::fs::read_to_string(tables.join("annotations.csv")).unwrap();
    assert!(annotations.contains(r#""a, ""b""""#), "{annotations}");
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
    let letter = folder.path().join("letter.sqlite");
    std::fs::write(
        &letter,
        "Dear reader, this is long enough to be a file of its own kind, and is no database at all.",
    )
    .unwrap();
    for file in [&other, &letter] {
        let before = std::fs::read(file).unwrap();
        fairzarr(&["catalog", text(&archive), "--to", text(file)], 4);
        assert_eq!(std::fs::read(file).unwrap(), before);
    }
    fairzarr(&["catalog", text(&archive), "--to", text(&folder.path().join("a.duckdb"))], 2);
}

#[test]
fn stores_of_others_are_in_the_catalogue_by_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(folder.path());
    let store = archive.join("plain.zarr");
    // As bioformats2raw would have left it: no attributes of ours.
    for group in ["", "A/1/0", "A/1/1", "OME"] {
        let path = store.join(group).join("zarr.json");
        let mut json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        json["attributes"].as_object_mut().unwrap().retain(|key, _| key == "ome");
        json.as_object_mut().unwrap().remove("consolidated_metadata");
        std::fs::write(path, json.to_string()).unwrap();
    }
    let file = folder.path().join("a.sqlite");
    fairzarr(&["catalog", text(&store), "--to", text(&file)], 0);
    let db = Connection::open(&file).unwrap();
    let query = "SELECT i.name, i.size_x, o.magnification, c.emission_nm, c.exposure_max_ms, d.model FROM images i JOIN objectives o ON o.objective_id = i.objective_id JOIN channels c ON c.image_id = i.image_id JOIN detectors d ON d.detector_id = c.detector_id WHERE i.path = 'A/1/1' AND c.channel = 0";
    assert_eq!(rows(&db, query), [["w1", "2", "10", "460", "15", "C0"]]);
}
