//! What is said of an image beside its channels: sample, microscope, objective, dimensions, environment, focus, and who
//! is to be thanked.

use super::book::Book;
use super::hardware::{self, product};
use super::phrase::{Details, Phrase, gap, gaps, kept, list, phrase, said};
use super::wording::{article, count, number, percent, plain, prose, quantity, word};
use crate::identity::is_stand;
use crate::record::Object;

/// `HeLa cells (Homo sapiens, …), labelled by … and mounted in … .`: what an image shows.
pub(super) fn sample(book: &Book<'_>, image: &Object) -> Phrase {
    let samples = samples(book, image);
    let experiment = book.referred(image, "ExperimentRef", "Experiment");
    let labelling = plain(experiment, "LabellingMethod").map(initial);
    let labelled = phrase![", labelled by ", labelling.clone().unwrap_or_else(|| gap("labelling method"))];
    // A purpose that is none of the listed ones is stated, and has no words.
    let purpose = said(experiment, "Purpose", |listed, _| Some(prose(listed).unwrap_or_default()));
    let mut all = Vec::new();
    for sample in &samples {
        let sample = Some(*sample);
        let mut details = Details::default();
        details.need(plain(sample, "Organism"), "organism");
        details.may(plain(sample, "OrganismPart"));
        details.need(word(sample, "SampleType"), "sample type");
        let live = said(sample, "LiveSample", |live, _| {
            Some(if live == "true" { "live" } else { "not live" }.to_owned())
        });
        details.need(live, "whether the sample was live");
        let preparation = plain(sample, "SamplePreparationMethod").map(|p| phrase!["preparation: ", p]);
        details.need(preparation, "sample preparation");
        let name = plain(sample, "Name").unwrap_or_else(|| gap("sample"));
        all.push(phrase![name, details.bracketed(), labelled.clone(), " and", mounting(sample)]);
    }
    if all.is_empty() {
        let mut missing = vec![
            "sample",
            "organism",
            "sample preparation",
            "mounting medium",
            "coverglass",
            "sample holder",
        ];
        if purpose.is_none() {
            missing.push("purpose of the experiment");
        }
        if labelling.is_none() {
            missing.push("labelling method");
        }
        let missing = gaps(&missing.into_iter().map(str::to_owned).collect::<Vec<_>>());
        all.push(if labelling.is_none() { missing } else { phrase![missing, labelled] });
    }
    let purpose = match purpose {
        Some(purpose) if purpose.plain().is_empty() => Phrase::default(),
        Some(purpose) => phrase![", for ", purpose],
        None if samples.is_empty() => Phrase::default(),
        None => phrase![", for ", gap("purpose of the experiment")],
    };
    phrase![list(all), purpose, "."]
}

/// ` mounted in … with a No. 1.5H coverglass on …`.
fn mounting(sample: Option<&Object>) -> Phrase {
    let medium = sample.and_then(|s| s.child("MountingMedium"));
    let medium = medium.map(|medium| {
        let mut details = Details::default();
        details.may(word(Some(medium), "Type"));
        details.may(number(Some(medium), "RefractiveIndex").map(|n| phrase!["refractive index ", n]));
        hardware::substance(medium, "a mounting medium", details)
    });
    let noted = || kept(sample, "mountingMedium", |m| m.trim_start_matches("mounted in ").to_owned());
    let glass = sample.and_then(|s| s.child("CoverGlass"));
    let glass = glass.map(|glass| {
        let mut details = Details::default();
        details.may(
            said(Some(glass), "Thickness", |t, _| Some(t.to_owned()))
                .map(|t| phrase!["thickness ", t, " ", gap("unit of the thickness")]),
        );
        let is_bare = |coating: &str| ["none", "uncoated", "no"].contains(&coating.to_lowercase().as_str());
        let coat = |c: &str| if is_bare(c) { "uncoated".to_owned() } else { format!("coated with {c}") };
        details.need_listed(glass, "Coating", |c| Some(coat(c)), "coating");
        let kind = said(Some(glass), "CoverGlassNo", |no, _| {
            Some(format!("No. {}", no.trim_start_matches('#').replace(" -", "–").replace(')', " mm)")))
        });
        let kind = kind.unwrap_or_else(|| gap("coverglass number"));
        phrase!["a ", kind, " coverglass", details.bracketed()]
    });
    let holder = sample.and_then(|s| s.child("SampleHolder"));
    let holder = word(holder, "Type").map(|h| phrase![article(&h.plain()), " ", h]);
    let place = |noted: Option<Phrase>| {
        noted.map(|said| {
            let has_preposition = said.plain().starts_with("on ") || said.plain().starts_with("in ");
            if has_preposition { said } else { phrase!["on ", said] }
        })
    };
    let holder =
        holder.map(|h| phrase!["on ", h]).or_else(|| place(kept(sample, "sampleHolder", str::to_owned)));
    phrase![
        " mounted in ",
        medium.or_else(noted).unwrap_or_else(|| gap("mounting medium")),
        " with ",
        glass.or_else(|| kept(sample, "coverGlass", str::to_owned)).unwrap_or_else(|| gap("coverglass")),
        " ",
        holder.unwrap_or_else(|| phrase!["on ", gap("sample holder")]),
    ]
}

/// The samples of an image: those it refers to, those of its experiment, or the only one of the only image's document.
/// Samples of metrology are none.
fn samples<'a>(book: &Book<'a>, image: &Object) -> Vec<&'a Object> {
    let is_of_interest = |sample: &&Object| !is_metrology(sample);
    let own: Vec<_> = image
        .children_of("SampleRef")
        .filter_map(|r| book.find(r.target()?, "Sample"))
        .filter(is_of_interest)
        .collect();
    if !own.is_empty() {
        return own;
    }
    let known = book.referred(image, "ExperimentRef", "Experiment");
    let known: Vec<_> =
        known.into_iter().flat_map(|e| e.children_of("Sample")).filter(is_of_interest).collect();
    let all: Vec<_> = book.samples().iter().copied().filter(is_of_interest).collect();
    match (known.as_slice(), all.as_slice()) {
        ([_], _) => known,
        (_, [_]) if book.has_one_image() => all,
        _ => Vec::new(),
    }
}

/// Whether a sample is one of beads and the like.
pub(super) fn is_metrology(sample: &Object) -> bool {
    sample.field("MetrologySample").is_some_and(|f| f.value == true || f.value == "true")
}

/// `Images were acquired by … on an … inverted microscope (…), controlled with … .`
pub(super) fn microscope(book: &Book<'_>, image: &Object, method: Option<Phrase>) -> Phrase {
    let instrument = book.referred(image, "InstrumentRef", "Instrument");
    let method = method.map(|method| phrase![" by ", method]).unwrap_or_default();
    let controlled = software(book, Some(image), instrument);
    phrase!["Images were acquired", method, " on ", stand(instrument), ", ", controlled, "."]
}

/// The microscope alone, of which no image is described.
pub(super) fn instrument(book: &Book<'_>, instrument: &Object) -> Phrase {
    let mut sentence = phrase![
        "Images were acquired on ",
        stand(Some(instrument)),
        ", ",
        software(book, None, Some(instrument)),
        "."
    ];
    let parts = |head: &str| -> Vec<&Object> {
        instrument.children.iter().filter(|c| hardware::is_a(c, head)).collect()
    };
    let described: [(&str, &str, Vec<Phrase>); 5] = [
        ("objective", "objectives", parts("Objective").iter().map(|o| hardware::objective(o)).collect()),
        (
            "light source",
            "light sources",
            parts("LightSourceGroup")
                .iter()
                .map(|s| {
                    let (noun, d) = hardware::light_source(s);
                    product(s, &noun, d)
                })
                .collect(),
        ),
        (
            "detector",
            "detectors",
            parts("DetectorGroup")
                .iter()
                .map(|s| {
                    let (noun, d) = hardware::detector(s);
                    product(s, &noun, d)
                })
                .collect(),
        ),
        (
            "environmental control device",
            "environmental control devices",
            parts("EnvironmentalControlDevice").iter().map(|d| environment_device(d)).collect(),
        ),
        (
            "focus stabilization device",
            "focus stabilization devices",
            parts("FocusStabilizationDevice").iter().map(|d| focus_device(d)).collect(),
        ),
    ];
    for (one, several, parts) in described {
        let name = if parts.len() == 1 { one } else { several };
        if !parts.is_empty() {
            sentence.add(phrase![format!(" The microscope has the following {name}: "), list(parts), "."]);
        }
    }
    sentence
}

fn stand(instrument: Option<&Object>) -> Phrase {
    let stand = instrument.and_then(|i| i.children.iter().find(|c| is_stand(&c.class)));
    let Some(stand) = stand else {
        let what = [
            "microscope stand".to_owned(),
            "manufacturer".to_owned(),
            "model".to_owned(),
            "catalogue number".to_owned(),
        ];
        let named = plain(instrument, "Name").map(|name| phrase!["the microscope “", name, "”"]);
        return phrase![named.unwrap_or_else(|| "a microscope".into()), " (", gaps(&what), ")"];
    };
    let noun = match stand.class.as_str() {
        "InvertedMicroscopeStand" => "inverted microscope",
        "UprightMicroscopeStand" => "upright microscope",
        _ => "microscope",
    };
    let mut details = Details::default();
    details.need(word(Some(stand), "Type"), "type of microscope");
    if noun == "microscope" {
        details.missing.push("whether it is upright or inverted".to_owned());
    }
    // Custom made is custom-built.
    let is_custom = stand.str("Type").is_some_and(|kind| kind.starts_with("Custom"));
    details.may(
        word(Some(stand), "Origin").filter(|origin| !is_custom || !origin.plain().starts_with("custom")),
    );
    details.may(plain(instrument, "Name").map(|name| phrase!["“", name, "”"]));
    product(stand, noun, details)
}

/// `controlled with Micro-Manager 2.0.1 (Open Imaging)`.
fn software(book: &Book<'_>, image: Option<&Object>, instrument: Option<&Object>) -> Phrase {
    let referred = image.into_iter().flat_map(|i| i.children_of("AcquisitionSoftwareRef"));
    let mut all: Vec<&Object> = referred.filter_map(|r| book.part(r.target()?)).collect();
    if all.is_empty() {
        all = instrument.into_iter().flat_map(|i| i.children_of("AcquisitionSoftware")).collect();
    }
    if all.is_empty() {
        return phrase!["controlled with ", gap("acquisition software and its version")];
    }
    let named = all.into_iter().map(|software| {
        let mut details = Details::default();
        let version = plain(Some(software), "Version");
        let name = plain(Some(software), "Name").unwrap_or_else(|| gap("acquisition software"));
        let name = if let Some(version) = version {
            phrase![name, " ", version]
        } else {
            details.missing.push("version".to_owned());
            name
        };
        details.need(plain(Some(software), "Developer"), "developer");
        details.may(kept(Some(software), "RRID", rrid));
        phrase![name, details.bracketed()]
    });
    phrase!["controlled with ", list(named.collect())]
}

/// `The microscope was equipped with a … objective (…), with … as the immersion liquid.`
pub(super) fn objective(book: &Book<'_>, image: &Object) -> Phrase {
    let settings = image.child("ObjectiveSettings");
    let liquid = settings.and_then(hardware::liquid);
    let used = settings.and_then(Object::target).and_then(|id| book.find(id, "Objective"));
    let Some(objective) = used else {
        let missing = "objective, with its magnification, numerical aperture, correction, immersion, manufacturer and catalogue number";
        return phrase!["The microscope was equipped with ", gap(missing), "."];
    };
    let mut said = phrase!["The microscope was equipped with ", hardware::objective(objective)];
    if let Some(liquid) = liquid {
        said.add(phrase![", with ", liquid]);
    }
    if let Some(collar) = number(settings, "CorrectionCollarPosition") {
        said.add(phrase![", with the correction collar at ", collar]);
    }
    phrase![said, "."]
}

/// `Images were recorded as 2048 × 2048 pixels of 0.103 × 0.103 µm, … .`
pub(super) fn dimensions(image: &Object) -> Phrase {
    let pixels = image.child("Pixels");
    let (width, height) = (number(pixels, "SizeX"), number(pixels, "SizeY"));
    let mut parts = Vec::new();
    let size = width.zip(height).map(|(width, height)| phrase![width, " × ", height]);
    let size = phrase![size.unwrap_or_else(|| gap("image width and height")), " pixels"];
    let lateral = match (quantity(pixels, "PhysicalSizeX"), quantity(pixels, "PhysicalSizeY")) {
        (Some(x), Some(y)) => phrase![x, " × ", y],
        _ => gap("pixel size"),
    };
    let mut size = phrase![size, " of ", lateral];
    if let Some(kind) = said(pixels, "PixelType", |kind, _| Some(pixel_type(kind))) {
        size.add(phrase![" (", kind, ")"]);
    }
    parts.push(size);
    let sizes =
        |axis: &str, one: &str, several: &str| said(pixels, axis, |n, _| Some(count(n, one, several)));
    let has_many = |axis: &str| pixels.and_then(|p| p.number(axis)).is_some_and(|n| n > 1.0);
    let mut depth =
        sizes("SizeZ", "optical section", "optical sections").unwrap_or_else(|| gap("number of sections"));
    if has_many("SizeZ") {
        let step = quantity(pixels, "PhysicalSizeZ").unwrap_or_else(|| gap("section spacing"));
        depth = phrase![depth, " spaced ", step, " apart"];
    }
    parts.push(depth);
    let has_channels = pixels.is_some_and(|p| p.child("Channel").is_some());
    let channels = sizes("SizeC", "channel", "channels");
    if channels.is_some() || !has_channels {
        parts.push(channels.unwrap_or_else(|| gap("number of channels")));
    }
    let mut time =
        sizes("SizeT", "time point", "time points").unwrap_or_else(|| gap("number of time points"));
    if has_many("SizeT") {
        let step = quantity(pixels, "TimeIncrement").unwrap_or_else(|| gap("time step"));
        time = phrase![time, " at intervals of ", step];
    }
    parts.push(time);
    let order = said(pixels, "DimensionOrder", |o, _| Some(o.to_owned()));
    let order = order.map_or_else(|| gap("dimension order"), |o| phrase!["dimension order ", o]);
    phrase!["Images were recorded as ", list(parts), " (", order, ")."]
}

fn pixel_type(kind: &str) -> String {
    match kind {
        "bit" => "1-bit".to_owned(),
        "int8" | "int16" | "int32" => format!("{}-bit signed", &kind[3..]),
        "uint8" | "uint16" | "uint32" => format!("{}-bit", &kind[4..]),
        "float" => "32-bit floating-point".to_owned(),
        "double" => "64-bit floating-point".to_owned(),
        _ => kind.to_owned(),
    }
}

/// `During imaging, the sample was kept at 37 °C, 5% CO₂ and 60% humidity; …`
pub(super) fn environment(book: &Book<'_>, image: &Object) -> Phrase {
    let air = image.child("ImagingEnvironment");
    let noted = kept(Some(image), "environment", str::to_owned).filter(is_statement);
    if let (None, Some(noted)) = (air, noted) {
        return phrase!["The environment was controlled as follows: ", noted, "."];
    }
    let instrument = book.referred(image, "InstrumentRef", "Instrument");
    let devices: Vec<Phrase> = instrument
        .into_iter()
        .flat_map(|i| i.children_of("EnvironmentalControlDevice"))
        .map(environment_device)
        .collect();
    let mut details = Details::default();
    details.need(quantity(air, "Temperature"), "temperature");
    details.need(percent(air, "CO2Percent").map(|c| phrase![c, " CO₂"]), "CO₂");
    details.need(percent(air, "Humidity").map(|h| phrase![h, " humidity"]), "humidity");
    details.may(percent(air, "O2Percent").map(|o| phrase![o, " O₂"]));
    let mut sentence = phrase!["During imaging, the sample was kept at ", details.listed()];
    // That it was used nobody says.
    if air.is_some() && !devices.is_empty() {
        sentence.add(phrase!["; the microscope was equipped with ", list(devices)]);
    }
    phrase![sentence, "."]
}

fn environment_device(device: &Object) -> Phrase {
    let mut details = Details::default();
    details.need_listed(device, "TemperatureControl", prose, "temperature control");
    let humidity = |listed: &str| prose(listed).map(|control| format!("{control} humidity control"));
    details.need_listed(device, "HumidityControl", humidity, "humidity control");
    product(device, "environmental control device", details)
}

/// `Focus was maintained with … .`
pub(super) fn focus(book: &Book<'_>, image: &Object) -> Phrase {
    let referred = image.children_of("FocusStabilizationDeviceRef");
    let devices: Vec<&Object> = referred.filter_map(|r| book.part(r.target()?)).collect();
    let noted = kept(Some(image), "focusStabilization", str::to_owned);
    if devices.is_empty() && noted.as_ref().is_some_and(|said| !is_statement(said)) {
        return "No focus stabilization was used.".into();
    }
    let devices = match (devices.is_empty(), noted) {
        (false, _) => list(devices.into_iter().map(focus_device).collect()),
        (true, Some(noted)) => noted,
        (true, None) => gap("focus stabilization device"),
    };
    phrase!["Focus was maintained with ", devices, "."]
}

fn focus_device(device: &Object) -> Phrase {
    let mut details = Details::default();
    details.need(word(Some(device), "Mechanism"), "mechanism");
    details.may(plain(Some(device), "Algorithm"));
    product(device, "focus stabilization device", details)
}

/// Whether a table's answer says more than yes or no.
fn is_statement(said: &Phrase) -> bool {
    !["false", "no", "0"].contains(&said.plain().to_lowercase().as_str())
}

/// `Images were acquired by … at … (RRID:SCR_…).`
pub(super) fn acknowledgement(book: &Book<'_>, image: &Object) -> Phrase {
    let people: Vec<Phrase> = image
        .children_of("ExperimenterRef")
        .filter_map(|r| book.find(r.target()?, "Experimenter"))
        .filter_map(person)
        .collect();
    let mut sentence = phrase!["Images were acquired"];
    if !people.is_empty() {
        sentence.add(phrase![" by ", list(people)]);
    }
    let facility = kept(Some(image), "coreFacility", str::to_owned);
    let identifier = kept(Some(image), "RRID", rrid).or_else(|| noted_rrid(book));
    let place = match (facility, identifier) {
        (Some(facility), Some(identifier)) => phrase![at(&facility), facility, " (", identifier, ")"],
        (Some(facility), None) => {
            phrase![at(&facility), facility, " (", gap("RRID of the imaging facility"), ")"]
        }
        (None, Some(identifier)) => phrase![" at ", gap("imaging facility"), " (", identifier, ")"],
        (None, None) => phrase![" at ", gap("imaging facility and its RRID")],
    };
    sentence.add(place);
    if let Some(staff) = kept(Some(image), "staff", str::to_owned) {
        sentence.add(phrase![", with the assistance of ", staff]);
    }
    phrase![sentence, "."]
}

fn person(person: &Object) -> Option<Phrase> {
    let names = ["FirstName", "MiddleName", "LastName"];
    let names: Vec<Phrase> = names.iter().filter_map(|name| plain(Some(person), name)).collect();
    let mut full = Phrase::default();
    for (i, name) in names.into_iter().enumerate() {
        full.add(if i > 0 { " " } else { "" });
        full.add(name);
    }
    let full = if full.is_empty() { plain(Some(person), "UserName")? } else { full };
    let institution = plain(Some(person), "Institution").map(|place| phrase![" (", place, ")"]);
    Some(phrase![full, institution.unwrap_or_default()])
}

/// The words in front of a facility's name, which may begin with its article.
fn at(facility: &Phrase) -> &'static str {
    if facility.plain().to_lowercase().starts_with("the ") { " at " } else { " at the " }
}

/// An identifier as RRIDs are cited.
fn rrid(text: &str) -> String {
    format!("RRID:{}", text.trim_start_matches("RRID:").trim())
}

/// An RRID in a key-value pair of that name.
fn noted_rrid(book: &Book<'_>) -> Option<Phrase> {
    let maps = book.record.extra.get("keyValuePairs")?.as_object()?;
    let pairs = maps.values().filter_map(|map| map["pairs"].as_array()).flatten();
    let said = pairs.filter_map(|pair| Some((pair[0].as_str()?, pair[1].as_str()?)));
    let (key, value) =
        said.into_iter().find(|(key, value)| key.to_uppercase().contains("RRID") && !value.is_empty())?;
    let mut holder = Object::new("OME");
    holder.extra.insert(key.to_owned(), value.into());
    kept(Some(&holder), key, rrid)
}

/// Words with a small letter in front where the first of them is no name, which nobody can know of others: `Hoechst`.
fn initial(words: Phrase) -> Phrase {
    let mut words = words;
    if let Some(super::phrase::Piece::Fact(fact)) = words.0.first_mut() {
        let first = fact.text.split([' ', '-', ',']).next().unwrap_or_default();
        if METHODS.contains(&first.to_lowercase().as_str()) {
            let at = first.len();
            fact.text = format!("{}{}", first.to_lowercase(), fact.text.get(at..).unwrap_or_default());
        }
    }
    words
}

/// Words that methods of labelling begin with.
const METHODS: [&str; 16] = [
    "antibody",
    "chemical",
    "direct",
    "endogenous",
    "fluorescent",
    "fluorescence",
    "fusion",
    "genetic",
    "genetically",
    "immunofluorescence",
    "immunolabeling",
    "immunolabelling",
    "indirect",
    "stable",
    "staining",
    "transient",
];
