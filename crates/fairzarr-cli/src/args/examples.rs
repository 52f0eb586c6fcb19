//! Examples at the end of the help of each command.

/// Commands, by the words that name them, and how they are used.
pub(super) const EXAMPLES: &[(&[&str], &[&str])] = &[
    (
        &["convert"],
        &[
            "fairzarr convert cells.ome.tiff cells.ome.zarr",
            "fairzarr convert cells.ome.tiff s3://my-bucket/cells.ome.zarr --resume",
            "fairzarr convert cells.ome.tiff cells.ome.zarr --skip-existing --json",
            "fairzarr convert cells.ome.tiff cells.ome.zarr --labels nuclei=segmentation.ome.tiff",
        ],
    ),
    (
        &["plan"],
        &["fairzarr plan big.ome.tiff big.ome.zarr", "fairzarr plan big.ome.tiff big.ome.zarr --emit slurm"],
    ),
    (&["run"], &["fairzarr run big.ome.tiff big.ome.zarr --task 1/4"]),
    (&["commit"], &["fairzarr commit big.ome.tiff big.ome.zarr"]),
    (
        &["migrate"],
        &[
            "fairzarr migrate --dry-run /archive /archive-zarr",
            "fairzarr migrate /archive /archive-zarr --exclude 'old/**'",
            "fairzarr migrate deletable /archive-zarr > originals.sha256",
        ],
    ),
    (&["migrate", "status"], &["fairzarr migrate status /archive-zarr"]),
    (&["migrate", "report"], &["fairzarr migrate report /archive-zarr --html report.html --csv report.csv"]),
    (&["migrate", "deletable"], &["fairzarr migrate deletable /archive-zarr > originals.sha256"]),
    (&["migrate", "verify"], &["fairzarr migrate verify /archive-zarr --sources"]),
    (
        &["copy"],
        &[
            "fairzarr copy cells.ome.zarr s3://my-bucket/cells.ome.zarr",
            "fairzarr copy cells.ome.zarr cells.ozx",
        ],
    ),
    (
        &["upgrade"],
        &["fairzarr upgrade cells.ome.zarr --to 0.6", "fairzarr upgrade old.ome.zarr new.ome.zarr --to 0.5"],
    ),
    (&["export"], &["fairzarr export cells.ome.zarr cells.ome.tiff"]),
    (&["inspect"], &["fairzarr inspect cells.ome.tiff", "fairzarr inspect cells.ome.zarr --metadata"]),
    (&["validate"], &["fairzarr validate cells.ome.zarr --deep"]),
    (&["conformance"], &["fairzarr conformance zarr spec/valid/image/minimal.zarr"]),
    (
        &["verify"],
        &[
            "fairzarr verify cells.ome.tiff cells.ome.zarr --certificate cells.verified.json",
            "fairzarr verify cells.ome.zarr",
            "fairzarr verify s3://my-bucket/cells.ome.zarr --sample 5%",
        ],
    ),
    (
        &["extract"],
        &[
            "fairzarr extract cells.ome.zarr --as ome-xml",
            "fairzarr extract cells.ome.zarr --as original -o cells.ome.xml",
        ],
    ),
    (
        &["check"],
        &[
            "fairzarr check cells.ome.zarr --policy materials-and-methods",
            "fairzarr check cells.ome.tiff --tier 2 --extension basic",
        ],
    ),
    (
        &["qc"],
        &[
            "fairzarr qc cells.ome.zarr",
            "fairzarr qc cells.ome.zarr --require 'OpticalCalibration within 90 days'",
        ],
    ),
    (
        &["embed"],
        &[
            "fairzarr embed cells.ome.zarr --nbo microscope.xml --qc psf.yaml",
            "fairzarr embed cells.ome.zarr --remove",
        ],
    ),
    (&["methods"], &["fairzarr methods cells.ome.zarr --as markdown"]),
    (
        &["catalog"],
        &[
            "fairzarr catalog /archive-zarr --to archive.sqlite",
            "fairzarr catalog /archive-zarr cells.ome.zarr --to tables --planes",
        ],
    ),
    (&["nbo"], &["fairzarr nbo fields --tier 1"]),
    (&["nbo", "fields"], &["fairzarr nbo fields --tier 2 --extension basic --level must"]),
    (&["completions"], &["fairzarr completions bash > ~/.local/share/bash-completion/completions/fairzarr"]),
    (&["man"], &["fairzarr man | man -l -", "fairzarr man --output ~/.local/share/man/man1"]),
];

/// The command line with the examples.
pub(super) fn with_examples(mut whole: clap::Command) -> clap::Command {
    for (words, lines) in EXAMPLES {
        whole = with(whole, words, &format!("Examples:\n  {}", lines.join("\n  ")));
    }
    whole
}

fn with(command: clap::Command, words: &[&str], text: &str) -> clap::Command {
    match words.split_first() {
        Some((name, rest)) => command.mut_subcommand(name, |below| with(below, rest, text)),
        None => command.after_help(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_examples_that_can_be_read() {
        fn commands<'a>(command: &'a clap::Command, words: &mut Vec<&'a str>, found: &mut Vec<Vec<&'a str>>) {
            for below in command.get_subcommands() {
                words.push(below.get_name());
                // Cases of a protocol for a runner are shown where the protocol is.
                if words.first() != Some(&"conformance") || words.len() == 1 {
                    found.push(words.clone());
                    commands(below, words, found);
                }
                words.pop();
            }
        }
        let whole = crate::args::command();
        let mut found = Vec::new();
        commands(&whole, &mut Vec::new(), &mut found);
        for words in found {
            assert!(EXAMPLES.iter().any(|(name, _)| *name == words), "{words:?} has no example");
        }
        for line in EXAMPLES.iter().flat_map(|(_, lines)| *lines) {
            let line = line.split(['>', '|']).next().unwrap_or_default();
            let line = line.replace("OpticalCalibration within 90 days", "x");
            let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches('\'')).collect();
            assert!(whole.clone().try_get_matches_from(&words).is_ok(), "{line}");
        }
    }
}
