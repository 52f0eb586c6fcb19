//! Settings of one dataset, as a table gives them: `ngff=0.4 codec=zstd-3 chunk=256,256`.

use fairzarr::convert::{ChunkChoice, Layout, Options, PyramidChoice, ShardChoice};

use crate::Error;

/// Names that settings have.
const NAMES: &str = "ngff, codec, chunk, shard, pyramid, layout and omit-empty";

/// Applies settings, which are separated by blanks or semicolons, to the options of a conversion.
///
/// # Errors
/// [`Error::Setting`] where a name or a value is not known.
pub(crate) fn apply(options: &mut Options, text: &str) -> Result<(), Error> {
    for setting in text.split([' ', ';']).filter(|setting| !setting.is_empty()) {
        let wrong = |reason: String| Error::Setting { setting: setting.into(), reason };
        let (name, value) = setting.split_once('=').ok_or_else(|| wrong("expected NAME=VALUE".into()))?;
        match name.trim_start_matches('-') {
            "ngff" => {
                options.version = value.parse().map_err(|_| wrong("expected 0.4, 0.5 or 0.6".into()))?;
            }
            "codec" => options.codec = value.parse().map_err(|error: String| wrong(error))?,
            "chunk" => {
                options.chunk = match value {
                    "source" => ChunkChoice::Source,
                    _ => {
                        pair(value).map(|(y, x)| ChunkChoice::Size(y, x)).ok_or_else(|| wrong(SIZE.into()))?
                    }
                };
            }
            "shard" => {
                options.shard = match value {
                    "auto" => ShardChoice::Auto,
                    "none" => ShardChoice::None,
                    _ => {
                        pair(value).map(|(y, x)| ShardChoice::Size(y, x)).ok_or_else(|| wrong(SIZE.into()))?
                    }
                };
            }
            "pyramid" => {
                options.pyramid = match value {
                    "computed" => PyramidChoice::Computed,
                    "source" => PyramidChoice::Source,
                    "none" => PyramidChoice::None,
                    _ => return Err(wrong("expected computed, source or none".into())),
                };
            }
            "layout" => {
                options.layout = match value {
                    "auto" => Layout::Auto,
                    "image" => Layout::Image,
                    "bioformats2raw" => Layout::Bioformats2raw,
                    _ => return Err(wrong("expected auto, image or bioformats2raw".into())),
                };
            }
            "omit-empty" => {
                options.omit_empty = value.parse().map_err(|_| wrong("expected true or false".into()))?;
            }
            _ => return Err(wrong(format!("the names that are known are {NAMES}"))),
        }
    }
    Ok(())
}

/// What shapes the output, in one line that is the same for the same settings: what the state records.
pub(crate) fn told(options: &Options) -> String {
    let mut text = format!(
        "ngff={} codec={} chunk={} shard={} pyramid={} layout={} omit-empty={}",
        options.version,
        options.codec,
        options.chunk,
        options.shard,
        options.pyramid,
        options.layout,
        options.omit_empty
    );
    if let Some(policy) = &options.policy {
        text.push_str(" policy=");
        text.push_str(&policy.name);
    }
    text
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let number = |part: &str| part.trim().parse::<u32>().ok().filter(|number| *number > 0);
    match text.split_once(',') {
        Some((y, x)) => number(y).zip(number(x)),
        None => number(text).map(|side| (side, side)),
    }
}

const SIZE: &str = "expected a height and width such as 512,512";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_told() {
        let mut options = Options::default();
        apply(&mut options, "ngff=0.4; codec=gzip-3 chunk=64,128 --shard=none").unwrap();
        assert!(told(&options).starts_with("ngff=0.4 codec=gzip-3 chunk=64,128 shard=none pyramid=computed"));
        let mut again = Options::default();
        apply(&mut again, &told(&options)).unwrap();
        assert_eq!(told(&again), told(&options));
        for wrong in ["chunk", "chunk=0", "colour=red", "ngff=9"] {
            assert!(matches!(apply(&mut options, wrong), Err(Error::Setting { .. })), "{wrong}");
        }
    }
}
