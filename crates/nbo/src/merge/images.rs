//! Which image of a document is which image known before, and what contradicts that.

use std::collections::{HashMap, HashSet};

use super::{Conflict, ConflictKind, named};
use crate::identity::{Sameness, identifiers, identifies, instrument_of, said};
use crate::record::value::date;
use crate::record::{Object, Origin, OriginKind, Record};

/// What a store itself says of one of its images, where it has no OME-XML that would.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StoreImage {
    /// Name of the multiscale.
    pub name: Option<String>,
    /// Numbers of time points, channels, z sections, rows and columns (t c z y x), as far as the image has the axis.
    pub sizes: [Option<u64>; 5],
    /// Names of the channels.
    pub channels: Vec<String>,
}

impl StoreImage {
    /// An image that has a name, if any, and nothing else.
    pub fn new(name: Option<String>) -> Self {
        Self { name, ..Self::default() }
    }

    fn object(&self) -> Object {
        let derived = || Origin::of(OriginKind::Derived);
        let mut image = Object::new("Image");
        if let Some(name) = &self.name {
            image.push("Name", name.as_str(), derived());
        }
        let mut pixels = Object::new("Pixels");
        for (field, size) in ["SizeT", "SizeC", "SizeZ", "SizeY", "SizeX"].into_iter().zip(self.sizes) {
            if let Some(size) = size {
                pixels.push(field, size, derived());
            }
        }
        for name in &self.channels {
            let mut channel = Object::new("Channel");
            channel.push("Name", name.as_str(), derived());
            pixels.children.push(channel);
        }
        image.children.push(pixels);
        image
    }
}

/// Finds the images of a store among those that a record describes, by their names; `images` are in series order.
/// Those that are known already stay.
pub fn identify(record: &mut Record, images: &[StoreImage]) {
    let mut found = record.in_store.clone().unwrap_or_default();
    found.resize(images.len(), None);
    if found.iter().all(Option::is_some) {
        record.in_store = Some(found);
        return;
    }
    let described: Vec<&Object> = record.objects.iter().filter(|o| o.class == "Image").collect();
    let objects: Vec<Object> = images.iter().map(StoreImage::object).collect();
    let (names, theirs) = (names(&objects), names(described.iter().copied()));
    for (number, image) in described.iter().enumerate() {
        if found.contains(&Some(number)) {
            continue;
        }
        let Some(name) = name(image) else { continue };
        let alike = theirs.get(&name).map_or(0, Vec::len);
        let fits = |place: &usize| objects.get(*place).is_some_and(|o| contradiction(o, image).is_none());
        let mut fitting = names.get(&name).into_iter().flatten().copied().filter(fits);
        if let (Some(place), None, 1) = (fitting.next(), fitting.next(), alike)
            && let Some(slot @ None) = found.get_mut(place)
        {
            *slot = Some(number);
        }
    }
    record.in_store = Some(found);
}

/// For each image of the document, counted among its images, the known image that it is.
pub(super) fn pair(
    known: &[Object],
    document: &mut [Object],
    in_store: Option<&[Option<usize>]>,
    conflicts: &mut Vec<Conflict>,
) -> HashMap<usize, usize> {
    let images =
        |of: &[Object]| -> Vec<Object> { of.iter().filter(|o| o.class == "Image").cloned().collect() };
    let (ours, theirs) = (images(known), images(document));
    let (our_names, their_names) = (names(&ours), names(&theirs));
    let identified = ours.iter().any(|o| own_identifiers(o).next().is_some());
    let mut pairs: HashMap<usize, usize> = HashMap::new();
    let mut taken: HashSet<usize> = HashSet::new();
    for (n, image) in theirs.iter().enumerate() {
        let by_identifier: Vec<usize> = (0..ours.len())
            .filter(|o| identified && ours.get(*o).is_some_and(|o| same_identifier(o, image) == Some(true)))
            .collect();
        let candidates: Vec<usize> = match name(image).filter(|_| by_identifier.is_empty()) {
            // Two of one name are not told apart by it.
            Some(name) if their_names.get(&name).map_or(0, Vec::len) == 1 => {
                let other =
                    |o: &usize| ours.get(*o).is_some_and(|o| same_identifier(o, image) != Some(false));
                our_names.get(&name).into_iter().flatten().copied().filter(other).collect()
            }
            _ => by_identifier,
        };
        let candidates: Vec<usize> = candidates.into_iter().filter(|o| !taken.contains(o)).collect();
        let mut why = None;
        let mut fitting = Vec::new();
        for candidate in candidates {
            let Some(other) = ours.get(candidate) else { continue };
            let scopes = [
                instrument_of(known, other),
                instrument_of(document, image).or_else(|| instrument_of(known, image)),
            ];
            let apart = scopes.map(|scope| scope.map(super::microscopes::scope));
            let scopes_differ = match apart {
                [Some(a), Some(b)] => match a.compare(&b) {
                    Sameness::Different(why) => Some(format!("they were taken on two microscopes; {why}")),
                    _ => None,
                },
                _ => None,
            };
            match contradiction(other, image).or(scopes_differ) {
                Some(reason) => why = Some((candidate, reason)),
                None => fitting.push(candidate),
            }
        }
        // An image of the store goes before one that another document described.
        let of_store = |o: &usize| in_store.is_some_and(|held| held.contains(&Some(*o)));
        let preferred: Vec<usize> = fitting.iter().copied().filter(of_store).collect();
        let chosen = if preferred.is_empty() { &fitting } else { &preferred };
        if let [only] = chosen.as_slice() {
            pairs.insert(n, *only);
            taken.insert(*only);
            continue;
        }
        let reason = match (chosen.len(), why) {
            (0, Some((candidate, reason))) => Some((ours.get(candidate), reason)),
            (0, None) if name(image).is_none() => {
                Some((None, "it has no name by which it could be told".into()))
            }
            (0, None) => Some((None, "none of those known has its name".into())),
            (several, _) => Some((None, format!("{several} of those known have its name"))),
        };
        if let Some((other, field)) = reason.filter(|_| !ours.is_empty()) {
            let kept = other.map_or_else(|| "those known before".into(), named);
            conflicts.push(Conflict {
                kind: ConflictKind::AnotherImage,
                at: "/Image".into(),
                field,
                kept,
                other: named(image),
            });
        }
    }
    pairs
}

/// Whether the identifiers of two images say that they are one or that they are not.
fn same_identifier(a: &Object, b: &Object) -> Option<bool> {
    let [a, b] = [a, b].map(|o| own_identifiers(o).collect::<Vec<_>>());
    (!a.is_empty() && !b.is_empty()).then(|| a.iter().any(|id| b.contains(id)))
}

fn own_identifiers(image: &Object) -> impl Iterator<Item = String> {
    let all = identifiers(image).map(super::identifiers::plain);
    all.filter(|id| identifies(id)).map(str::to_lowercase)
}

/// The places of images by their names.
fn names<'a>(images: impl IntoIterator<Item = &'a Object>) -> HashMap<String, Vec<usize>> {
    let mut names: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, image) in images.into_iter().enumerate() {
        if let Some(name) = name(image) {
            names.entry(name).or_default().push(place);
        }
    }
    names
}

fn name(image: &Object) -> Option<String> {
    said(&image.field("Name")?.value)
}

/// What two images say that cannot be true of one.
fn contradiction(known: &Object, other: &Object) -> Option<String> {
    let day = |o: &Object| date(o.str("AcquisitionDate")?);
    if let (Some(a), Some(b)) = (day(known), day(other))
        && a != b
    {
        let said = |o: &Object| o.str("AcquisitionDate").unwrap_or_default().to_owned();
        return Some(format!("it was acquired on {}, not {}", said(other), said(known)));
    }
    let (ours, theirs) = (known.child("Pixels")?, other.child("Pixels")?);
    for size in ["SizeX", "SizeY", "SizeZ", "SizeC", "SizeT"] {
        if let (Some(a), Some(b)) = (ours.number(size), theirs.number(size))
            && (a - b).abs() >= 0.5
        {
            return Some(format!("its {size} is {b}, not {a}"));
        }
    }
    let names = |pixels: &Object| -> Vec<Option<String>> {
        pixels.children_of("Channel").map(|c| said(&c.field("Name")?.value)).collect()
    };
    let (a, b) = (names(ours), names(theirs));
    let channels = ours.number("SizeC").map_or(a.len(), |size| (size as usize).max(a.len()));
    if channels > 0 && b.len() > channels {
        return Some(format!("it has {} channels, not {channels}", b.len()));
    }
    let is_known = |name: &String| a.iter().flatten().any(|known| known.eq_ignore_ascii_case(name));
    let complete = !a.is_empty() && a.iter().all(Option::is_some);
    let stranger = b.iter().flatten().find(|name| complete && !is_known(name))?;
    let all: Vec<_> = a.iter().flatten().map(String::as_str).collect();
    Some(format!("it has a channel {stranger}, and the other has {}", all.join(", ")))
}

/// For the children of a document's pixels that are channels: the channel of these pixels that each is, or none.
/// `None` for objects that have no channels to be matched with.
pub(super) fn channels(pixels: &Object, children: &[Object]) -> Option<HashMap<usize, Option<usize>>> {
    let places = |of: &[Object]| -> Vec<usize> {
        of.iter().enumerate().filter(|(_, o)| o.class == "Channel").map(|(n, _)| n).collect()
    };
    let (ours, theirs) = (places(&pixels.children), places(children));
    // Where the store says nothing of channels, a document may.
    if pixels.class != "Pixels" || ours.is_empty() || theirs.is_empty() {
        return None;
    }
    let get = |of: &[Object], n: usize, field: &str| said(&of.get(n)?.field(field)?.value);
    let fold = |text: Option<String>| text.map(|t| super::identifiers::plain(&t).to_lowercase());
    let our = |n: usize, field: &str| fold(get(&pixels.children, n, field));
    let their = |n: usize, field: &str| fold(get(children, n, field));
    let same_name = |a: usize, b: usize| our(a, "Name").is_some() && our(a, "Name") == their(b, "Name");
    let may_be = |a: usize, b: usize| our(a, "Name").is_none() || their(b, "Name").is_none();
    let same_id =
        |a: usize, b: usize| may_be(a, b) && our(a, "ID").is_some() && our(a, "ID") == their(b, "ID");
    let place = |of: &[usize], n: usize| of.iter().position(|p| *p == n);
    let same_place = |a: usize, b: usize| {
        may_be(a, b) && ours.len() == theirs.len() && place(&ours, a) == place(&theirs, b)
    };
    let mut found: HashMap<usize, Option<usize>> = theirs.iter().map(|n| (*n, None)).collect();
    let rounds: [&dyn Fn(usize, usize) -> bool; 3] = [&same_name, &same_place, &same_id];
    for fits in rounds {
        for b in &theirs {
            let free = |a: &usize| !found.values().any(|taken| *taken == Some(*a));
            if found.get(b).is_some_and(Option::is_none)
                && let Some(a) = ours.iter().copied().find(|a| free(a) && fits(*a, *b))
            {
                found.insert(*b, Some(a));
            }
        }
    }
    Some(found)
}
