//! Where each dataset lies in the target: a template gives the name, and the same rule always tells equal names apart.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use crate::Error;
use crate::names::{folder, last, short_digest, stem, target_name};

/// A template for paths below the target. It names, in braces, parts of the source:
///
/// | field | of `2019/exp 1/cells.ome.tif` below `/archive` |
/// |---|---|
/// | `{dir}` | `2019/exp 1` |
/// | `{stem}` | `cells` |
/// | `{name}` | `cells.ome.tif` |
/// | `{source}` | `archive` |
/// | `{image}` | the name of the first image, or the stem where it has none |
///
/// Every character that some file system or object store refuses is written as `%XX`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Text(String),
    Dir,
    Stem,
    Name,
    Source,
    Image,
}

/// What a template is filled with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) source: &'a str,
    pub(crate) path: &'a str,
    pub(crate) image: Option<&'a str>,
}

impl Default for Template {
    fn default() -> Self {
        let parts = vec![Part::Dir, Part::Text("/".into()), Part::Stem, Part::Text(".ome.zarr".into())];
        Self { text: DEFAULT.into(), parts }
    }
}

impl FromStr for Template {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Template { template: text.into(), reason: reason.into() };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            let (field, after) = after.split_once('}').ok_or_else(|| wrong("a brace is not closed"))?;
            parts.push(match field {
                "dir" => Part::Dir,
                "stem" => Part::Stem,
                "name" => Part::Name,
                "source" => Part::Source,
                "image" => Part::Image,
                _ => return Err(wrong("its fields are {dir}, {stem}, {name}, {source} and {image}")),
            });
            rest = after;
        }
        parts.push(Part::Text(rest.into()));
        let names_file = [Part::Stem, Part::Name, Part::Image].iter().any(|part| parts.contains(part));
        if !names_file {
            return Err(wrong(
                "it names neither {stem} nor {name} nor {image}, and all datasets would have one name",
            ));
        }
        if text.split('/').any(|part| part == "..") || text.starts_with('/') {
            return Err(wrong("it leads out of the target"));
        }
        Ok(Self { text: text.into(), parts })
    }
}

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Template {
    fn fill(&self, named: Named<'_>, whole_name: bool) -> String {
        let name = last(named.path);
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(words) => text.push_str(words),
                Part::Dir => text.push_str(folder(named.path)),
                Part::Stem | Part::Name | Part::Image if whole_name => text.push_str(name),
                Part::Stem => text.push_str(stem(name)),
                Part::Name => text.push_str(name),
                Part::Source => text.push_str(last(named.source.trim_end_matches('/'))),
                // A slash in a name is no folder.
                Part::Image => match named.image.map(str::trim).filter(|name| !name.is_empty()) {
                    Some(image) => text.push_str(&image.replace('/', "%2F")),
                    None => text.push_str(stem(name)),
                },
            }
        }
        let parts = text.split('/').filter(|part| !part.is_empty());
        let key = format!("{}/{}", named.source, named.path);
        parts.map(|part| target_name(part, &key)).collect::<Vec<_>>().join("/")
    }
}

/// A path below the target for each dataset. Where several would have one path, or paths that differ only in case, or one
/// would lie in another, those have the whole name of their file in it, and where that does not suffice a digest of the
/// source's path. `taken` are paths that keep what they have.
pub(crate) fn targets(template: &Template, datasets: &[Named<'_>], taken: &[String]) -> Vec<String> {
    let mut used = Used::default();
    for path in taken {
        used.add(path);
    }
    let mut paths: Vec<Option<String>> = vec![None; datasets.len()];
    for whole_name in [false, true] {
        let open: Vec<(usize, String)> = (0..datasets.len())
            .filter(|index| paths[*index].is_none())
            .map(|index| (index, template.fill(datasets[index], whole_name)))
            .collect();
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (_, path) in &open {
            *counts.entry(folded(path)).or_default() += 1;
        }
        // Of a path that lies in another one, the other one goes.
        let folders: HashSet<String> =
            counts.keys().flat_map(|path| above(path)).map(str::to_owned).collect();
        for (index, path) in open {
            let alone = counts.get(&folded(&path)) == Some(&1);
            let nested = folders.contains(&folded(&path));
            if alone && !nested && used.is_free(&path) {
                used.add(&path);
                paths[index] = Some(path);
            }
        }
    }
    let mut named = Vec::with_capacity(paths.len());
    for (dataset, path) in datasets.iter().zip(paths) {
        let path = path.unwrap_or_else(|| used.apart(&template.fill(*dataset, true), *dataset));
        used.add(&path);
        named.push(path);
    }
    named
}

/// Paths that are taken, and the folders above them.
#[derive(Default)]
struct Used {
    paths: HashSet<String>,
    folders: HashSet<String>,
}

impl Used {
    fn add(&mut self, path: &str) {
        let path = folded(path);
        self.folders.extend(above(&path).map(str::to_owned));
        self.paths.insert(path);
    }

    /// The path with a digest of its source in it, and in no other one.
    fn apart(&self, path: &str, named: Named<'_>) -> String {
        let digest = short_digest(&format!("{}/{}", named.source, named.path));
        let (above, name) = path.rsplit_once('/').map_or(("", path), |(above, name)| (above, name));
        let mut apart = String::new();
        for folder in above.split('/').filter(|folder| !folder.is_empty()) {
            apart.push_str(folder);
            // A folder cannot have the path of a store.
            while self.paths.contains(&folded(&apart)) {
                apart.push('~');
            }
            apart.push('/');
        }
        match name.strip_suffix(".ome.zarr") {
            Some(stem) => format!("{apart}{stem}~{digest}.ome.zarr"),
            None => format!("{apart}{name}~{digest}"),
        }
    }

    fn is_free(&self, path: &str) -> bool {
        let path = folded(path);
        !self.paths.contains(&path)
            && !self.folders.contains(&path)
            && !above(&path).any(|folder| self.paths.contains(folder))
    }
}

/// File systems that ignore case are common.
fn folded(path: &str) -> String {
    path.to_lowercase()
}

fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

const DEFAULT: &str = "{dir}/{stem}.ome.zarr";

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &[&str], taken: &[&str]) -> Vec<String> {
        let datasets: Vec<Named> =
            paths.iter().map(|path| Named { source: "/data/archive", path, image: None }).collect();
        let taken: Vec<String> = taken.iter().map(|path| (*path).to_owned()).collect();
        targets(&Template::default(), &datasets, &taken)
    }

    #[test]
    fn equal_names_are_told_apart_the_same_way_in_any_order() {
        let paths = ["d/image.ome.tif", "d/image.tif", "d/Image.ome.tif", "e/image.ome.tif"];
        let found = named(&paths, &[]);
        assert_eq!(found[1], "d/image.tif.ome.zarr");
        assert_eq!(found[3], "e/image.ome.zarr");
        assert!(
            found[0].starts_with("d/image.ome.tif~") && found[2].starts_with("d/Image.ome.tif~"),
            "{found:?}"
        );
        let mut turned = paths;
        turned.reverse();
        let mut again = named(&turned, &[]);
        again.reverse();
        assert_eq!(again, found);
    }

    #[test]
    fn what_is_taken_keeps_its_path_and_nothing_lies_in_another() {
        assert_eq!(named(&["a.tif"], &["a.ome.zarr"]), ["a.tif.ome.zarr"]);
        let nested = named(&["a.tif", "a.ome.zarr/b.tif"], &[]);
        let inside =
            nested.iter().any(|path| nested.iter().any(|other| other.starts_with(&format!("{path}/"))));
        assert!(!inside, "{nested:?}");
        let below = named(&["a.ome.zarr/b.tif"], &["a.ome.zarr"]);
        assert!(below[0].starts_with("a.ome.zarr~/b.tif~"), "{below:?}");
    }

    #[test]
    fn templates_are_checked() {
        let template: Template = "{source}/{dir}/{name}.zarr".parse().unwrap();
        let dataset = Named { source: "/data/archive", path: "x/a.tif", image: Some("A/B") };
        assert_eq!(targets(&template, &[dataset], &[]), ["archive/x/a.tif.zarr"]);
        let by_image: Template = "{image}.ome.zarr".parse().unwrap();
        assert_eq!(targets(&by_image, &[dataset], &[]), ["A%252FB.ome.zarr"]);
        for wrong in ["{dir}/x", "{stem", "{no}", "../{stem}", "/{stem}"] {
            assert!(wrong.parse::<Template>().is_err(), "{wrong}");
        }
    }
}
