//! Other names of makers and models. One line is one maker or model; the first name is the one that they are compared
//! by. Names are compared without regard to case, blanks and the punctuation that catalogues put between words.

/// Makers, with the names of their companies.
const MAKERS: [&[&str]; 8] = [
    &[
        "Zeiss",
        "Carl Zeiss",
        "Carl Zeiss AG",
        "Carl Zeiss Microscopy",
        "Carl Zeiss Microscopy GmbH",
        "Carl Zeiss MicroImaging",
    ],
    &["Leica", "Leica Microsystems", "Leica Microsystems CMS GmbH"],
    &["Nikon", "Nikon Corporation", "Nikon Instruments", "Nikon Instruments Inc"],
    &["Olympus", "Olympus Corporation", "Olympus Life Science", "Evident", "Evident Scientific"],
    &["Hamamatsu", "Hamamatsu Photonics", "Hamamatsu Photonics KK"],
    &["Andor", "Andor Technology", "Oxford Instruments Andor"],
    &["GE Healthcare", "Applied Precision", "Cytiva"],
    &["3i", "Intelligent Imaging Innovations"],
];

/// Models of stands.
const MODELS: [&[&str]; 9] = [
    &["Axio Observer Z1", "Axio Observer Z1/7", "AxioObserver Z1"],
    &["Axio Imager Z2", "AxioImager Z2"],
    &["Ti2-E", "Eclipse Ti2-E", "Eclipse Ti2E"],
    &["Ti2-U", "Eclipse Ti2-U"],
    &["Ti-E", "Eclipse Ti-E", "Eclipse TiE"],
    &["Ti", "Eclipse Ti"],
    &["DMi8", "DMi8 S"],
    &["IX83", "IX83P2ZF"],
    &["OMX V4", "DeltaVision OMX V4"],
];

/// The name that a maker is compared by.
pub(crate) fn maker(name: &str) -> String {
    known(&MAKERS, name)
}

/// The name that a model is compared by.
pub(crate) fn model(name: &str) -> String {
    known(&MODELS, name)
}

fn known(table: &[&[&str]], name: &str) -> String {
    let folded = fold(name);
    let line = table.iter().find(|line| line.iter().any(|alias| fold(alias) == folded));
    line.and_then(|line| line.first()).map_or(folded, |first| fold(first))
}

fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
