//! The rules that every kind of store has to keep, as checks that can be run on any of them.
//!
//! This crate runs them on its own stores; whoever brings a [`Backend`](crate::backend::Backend) should run them in a test.
//! The store must be empty, and is empty again after a check that passes.

use std::fmt::{self, Debug};

use bytes::Bytes;

use crate::{Children, Class, Error, Store};

/// A rule that a store has broken.
#[derive(Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The rule.
    pub rule: String,
    /// What was found instead.
    pub found: String,
    /// The failure of the store, if there was one.
    pub source: Option<Error>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store breaks a rule: {}; found: {}", self.rule, self.found)
    }
}

impl std::error::Error for Violation {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

impl From<Error> for Violation {
    fn from(error: Error) -> Self {
        Self { rule: "this operation succeeds".to_owned(), found: error.to_string(), source: Some(error) }
    }
}

type Outcome = Result<(), Violation>;

/// Checks the rules that this crate relies on everywhere.
///
/// # Errors
/// The first rule that is broken.
pub fn check(store: &Store) -> Outcome {
    same("a store to check is empty", &store.list("")?, &vec![])?;
    absence(store)?;
    objects(store)?;
    pieces(store)?;
    ranges(store)?;
    create_only(store)?;
    names(store)?;
    listing(store)?;
    background(store)?;
    threads(store)?;
    keys(store)?;
    store.sync()?;
    same("nothing is left behind", &store.list("")?, &vec![])
}

/// Checks what not every server keeps that calls itself an object store: that directories are no objects, that a suffix
/// may be longer than the object, and that conditional writes exclude each other.
///
/// # Errors
/// The first rule that is broken.
pub fn check_strict(store: &Store) -> Outcome {
    store.put("a/b/c", "x")?;
    same("a directory is no object to read", &store.get("a/b")?, &None)?;
    same("a directory has no size", &store.size("a/b")?, &None)?;
    same("a directory does not exist as an object", &store.exists("a")?, &false)?;
    holds("a suffix may be longer than the object", store.get_suffix("a/b/c", 100)?, b"x")?;
    store.put("a/empty", "")?;
    holds("a suffix of an empty object is empty", store.get_suffix("a/empty", 100)?, b"")?;
    store.delete_prefix("")?;

    let tries: Vec<Result<Option<String>, Error>> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|number| {
                scope.spawn(move || {
                    let mine = format!("writer {number}");
                    Ok(store.put_new("race", mine.clone())?.then_some(mine))
                })
            })
            .collect();
        tries.into_iter().filter_map(|handle| handle.join().ok()).collect()
    });
    let winners: Vec<String> =
        tries.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    same("of several conditional writers at once, exactly one succeeds", &winners.len(), &1)?;
    holds("the object is the winner's", store.get("race")?, winners.concat().as_bytes())?;
    Ok(store.delete("race")?)
}

fn absence(store: &Store) -> Outcome {
    same("an absent object reads as none", &store.get("no/such")?, &None)?;
    same("a range of an absent object reads as none", &store.get_range("no/such", 0..1)?, &None)?;
    same("a suffix of an absent object reads as none", &store.get_suffix("no/such", 1)?, &None)?;
    same("ranges of an absent object read as none", &store.get_ranges("no/such", &[0..1, 2..3])?, &None)?;
    same("an absent object has no size", &store.size("no/such")?, &None)?;
    same("an absent object does not exist", &store.exists("no/such")?, &false)?;
    same("an absent prefix lists as empty", &store.list("no")?, &vec![])?;
    same("an absent prefix has no children", &store.list_children("no")?, &Children::default())?;
    store.delete("no/such")?;
    Ok(store.delete_prefix("no")?)
}

fn objects(store: &Store) -> Outcome {
    for content in ["first", "second, and longer", "3rd", ""] {
        store.put("a/b/c", content)?;
        holds("an object is what was written last", store.get("a/b/c")?, content.as_bytes())?;
        same("a size is that of what was written last", &store.size("a/b/c")?, &Some(content.len() as u64))?;
    }
    store.delete("a/b/c")?;
    same("a deleted object does not exist", &store.exists("a/b/c")?, &false)?;
    store.delete_prefix("a")?;
    store.put("a/b/c", "again")?;
    let listed = vec![("a/b/c".to_owned(), 5)];
    same("a directory that has lost its last object can be written to again", &store.list("")?, &listed)?;
    Ok(store.delete_prefix("")?)
}

fn pieces(store: &Store) -> Outcome {
    let mut writer = store.writer("p/whole", 11)?;
    writer.append(b"piece ")?;
    same("an object that is being written does not exist yet", &store.exists("p/whole")?, &false)?;
    writer.append(b"after")?;
    writer.finish()?;
    holds("an object written in pieces is whole", store.get("p/whole")?, b"piece after")?;
    let mut dropped = store.writer("p/dropped", 5)?;
    dropped.append(b"piece")?;
    drop(dropped);
    let listed = vec![("p/whole".to_owned(), 11)];
    same("a writer that is dropped leaves nothing", &store.list("p")?, &listed)?;
    Ok(store.delete_prefix("p")?)
}

fn ranges(store: &Store) -> Outcome {
    let data: Bytes = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let size = data.len() as u64;
    let of = |start: u64, end: u64| &data[start as usize..end as usize];
    store.put("r", data.clone())?;
    for (start, end) in [(0, 4), (1001, 2003), (size - 1, size), (7, 7), (size, size)] {
        holds("a range is those bytes of the object", store.get_range("r", start..end)?, of(start, end))?;
    }
    for length in [16, 0] {
        let suffix = store.get_suffix("r", length)?;
        holds("a suffix is the last bytes of the object", suffix, of(size - length, size))?;
    }
    let several = [300_000..300_010, 0..4, 4..8, 9..9];
    let expected = several.iter().map(|range| Bytes::copy_from_slice(of(range.start, range.end))).collect();
    same("several ranges come in the order asked for", &store.get_ranges("r", &several)?, &Some(expected))?;
    for range in [size - 1..size + 1, size + 5..size + 6, 0..u64::MAX] {
        for answer in [
            store.get_range("r", range.clone()).map(drop),
            store.get_ranges("r", &[0..1, range.clone()]).map(drop),
        ] {
            let class = answer.err().map(|error| error.class());
            same("a range beyond the end is refused as truncated", &class, &Some(Class::Truncated))?;
        }
    }
    Ok(store.delete("r")?)
}

fn create_only(store: &Store) -> Outcome {
    same("a conditional write of a new object succeeds", &store.put_new("root/zarr.json", "mine")?, &true)?;
    same("a conditional write does not replace", &store.put_new("root/zarr.json", "yours")?, &false)?;
    holds("a refused conditional write changes nothing", store.get("root/zarr.json")?, b"mine")?;
    store.delete("root/zarr.json")?;
    same("a deleted name is free again", &store.put_new("root/zarr.json", "yours")?, &true)?;
    Ok(store.delete("root/zarr.json")?)
}

fn names(store: &Store) -> Outcome {
    let names =
        [".zattrs", "OME/METADATA.ome.xml", "a b", "a%20b", "a+b", "c=1&d", "µm/é", "x#y", "~", "a:b@c"];
    for name in names {
        store.put(name, name.to_owned())?;
    }
    for name in names {
        holds("names are taken as they are", store.get(name)?, name.as_bytes())?;
    }
    let mut expected: Vec<_> = names.iter().map(|name| ((*name).to_owned(), name.len() as u64)).collect();
    expected.sort();
    same("names are listed as they are, sorted", &store.list("")?, &expected)?;
    Ok(store.delete_prefix("")?)
}

fn listing(store: &Store) -> Outcome {
    for key in ["d/zarr.json", "d/0/c/0", "d/0/c/1", "d/0-x/c", "d/0.y", "e/f", "d0"] {
        store.put(key, "12")?;
    }
    let lists = |prefix: &str, expected: &[&str]| -> Outcome {
        let found: Vec<String> = store.list(prefix)?.into_iter().map(|(key, _)| key).collect();
        same(&format!("a listing of {prefix:?} is all that lies below, sorted"), &found, &owned(expected))
    };
    lists("", &["d/0-x/c", "d/0.y", "d/0/c/0", "d/0/c/1", "d/zarr.json", "d0", "e/f"])?;
    lists("d/0", &["d/0/c/0", "d/0/c/1"])?;
    lists("d/0/", &["d/0/c/0", "d/0/c/1"])?;
    lists("d/zarr.json", &[])?;
    let level = |directories: &[&str], objects: &[&str]| Children {
        directories: owned(directories),
        objects: owned(objects).into_iter().map(|name| (name, 2)).collect(),
    };
    let rule = "children are the names of one level, sorted";
    same(rule, &store.list_children("d")?, &level(&["0", "0-x"], &["0.y", "zarr.json"]))?;
    same(rule, &store.list_children("")?, &level(&["d", "e"], &["d0"]))?;
    store.delete_prefix("d")?;
    lists("", &["d0", "e/f"])?;
    store.delete_prefix("")?;
    lists("", &[])
}

fn background(store: &Store) -> Outcome {
    for number in 0..40_u8 {
        store.put_in_background(&format!("b/{number:02}"), vec![number; 10_000].into())?;
    }
    store.put_parts_in_background("b/parts", vec!["of ".into(), "two".into()])?;
    store.flush()?;
    let sizes: Vec<u64> = store.list("b")?.into_iter().map(|(_, size)| size).collect();
    let mut expected = vec![10_000; 40];
    expected.push(6);
    same("after a flush all objects are there", &sizes, &expected)?;
    holds("background objects are what was handed over", store.get("b/39")?, &[39; 10_000])?;
    holds("parts are one object", store.get("b/parts")?, b"of two")?;
    Ok(store.delete_prefix("b")?)
}

fn threads(store: &Store) -> Outcome {
    let work = |thread: u32| -> Outcome {
        for number in 0..10 {
            let key = format!("t/{thread}/{number}");
            store.put(&key, key.clone())?;
            holds("threads do not disturb each other", store.get(&key)?, key.as_bytes())?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect::<Outcome>()
    })?;
    same("all threads have written all", &store.list("t")?.len(), &80)?;
    Ok(store.delete_prefix("t")?)
}

fn keys(store: &Store) -> Outcome {
    for key in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "."] {
        for answer in [store.put(key, ""), store.get(key).map(drop), store.delete(key)] {
            let refused = matches!(answer, Err(Error::Key { .. }));
            same(&format!("{key:?} is refused as a key"), &refused, &true)?;
        }
    }
    for answer in [store.list("../").map(drop), store.delete_prefix("..")] {
        same("prefixes stay below the root", &matches!(answer, Err(Error::Key { .. })), &true)?;
    }
    Ok(())
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn same<T: PartialEq + Debug>(rule: &str, found: &T, expected: &T) -> Outcome {
    if found == expected {
        return Ok(());
    }
    Err(Violation {
        rule: rule.to_owned(),
        found: format!("{found:?} instead of {expected:?}"),
        source: None,
    })
}

/// As [`same`], for contents that are too long to be shown.
fn holds(rule: &str, found: Option<Bytes>, expected: &[u8]) -> Outcome {
    let found = match found {
        Some(found) if found == expected => return Ok(()),
        Some(found) => format!("{} bytes", found.len()),
        None => "no object".to_owned(),
    };
    let found = format!("{found} instead of the {} bytes that were written", expected.len());
    Err(Violation { rule: rule.to_owned(), found, source: None })
}
